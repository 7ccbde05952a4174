import { expect } from 'chai';
import { formatter } from '../../../../cmd/buildctl/format.js';

/** As `--format` gets it: lists and objects with the names of JSON. */
const records = [
  {
    id: 'a',
    inUse: true,
    size: 10,
    parents: ['p', 'q'],
    labels: { b: '2', 'k.x': '1' },
    buildkitVersion: { package: 'pk', version: 'v1' },
    lastUsedAt: null,
  },
  {
    id: 'b',
    inUse: false,
    size: 2000,
    parents: null,
    labels: {},
    buildkitVersion: { package: '', version: '' },
    lastUsedAt: null,
  },
];
const formatted = (template: string): string => formatter(template)(records).replace(/\n$/, '');

/** What Go's text/template makes of the same. */
const golden: Readonly<Record<string, string>> = {
  '{{range .}}{{.ID}} {{end}}': 'a b ',
  '{{range $i, $r := .}}{{$i}}={{$r.ID}};{{end}}': '0=a;1=b;',
  '{{range .}}{{if .InUse}}{{.ID}} is used{{else}}{{.ID}} is not{{end}}\n{{end}}': 'a is used\nb is not\n',
  '{{range .}}{{if gt .Size 1000}}big{{else if eq .ID "a"}}A{{else}}small{{end}},{{end}}': 'A,big,',
  '{{len .}} {{(index . 0).BuildkitVersion.Version}}': '2 v1',
  '{{with index . 0}}{{.Parents}} {{.Labels}}{{end}}': '[p q] map[b:2 k.x:1]',
  '{{range .}}{{range .Parents}}<{{.}}>{{else}}none{{end}}{{end}}': '<p><q>none',
  '{{index (index . 0).Labels "k.x"}}': '1',
  '{{printf "%-4s|%5d|%05d|%q|%v|%t|%%" (index . 0).ID 42 7 "x\\"y" true false}}':
    'a   |   42|00007|"x\\"y"|true|false|%',
  '{{range .}}{{.ID | printf "%s-%s" "id"}} {{end}}': 'id-a id-b ',
  '{{ $n := len . }}{{$n}}{{range .}}{{$n = .Size}}{{end}} {{$n}}': '2 2000',
  'a {{- 1 -}} b': 'a1b',
  '{{/* a remark */}}x{{- /* another */ -}} y': 'xy',
  '{{and 1 0}} {{or "" "z"}} {{not true}} {{and true "y"}}': '0 z false y',
  '{{json (index . 0).Labels}} {{json "<&>"}}': '{"b":"2","k.x":"1"} "<&>"',
  '{{range $k, $v := (index . 0).Labels}}{{$k}}={{$v}},{{end}}': 'b=2,k.x=1,',
  '{{"{{"}} {{`raw "}}"`}} {{"tab\\t"}}': '{{ raw "}}" tab\t',
  '{{eq 1 2 1}} {{ne "a" "b"}} {{lt 1 2}} {{le "a" "a"}} {{ge 1 2}}': 'true true true true false',
  '{{slice "abcdef" 1 3}} {{print 1 2 "x" "y"}} {{println "a" 1}}': 'bc 1 2xy a 1\n',
  '{{range .}}{{with .Parents}}{{len .}}{{else}}-{{end}}{{end}}': '2-',
  '{{printf "%.2f %8.3f %x %X" 1.5 2.25 255 255}}': '1.50    2.250 ff FF',
};

describe('templates of --format', () => {
  for (const [template, expected] of Object.entries(golden)) {
    it(`print ${JSON.stringify(template)}`, () => expect(formatted(template)).to.equal(expected));
  }

  it('are JSON when they only say so', () => {
    expect(JSON.parse(formatted('json'))).to.deep.equal(records);
    expect(formatted('{{json .}}')).to.equal(JSON.stringify(records));
  });

  const refusals: Readonly<Record<string, string>> = {
    '{{range .}}': '{{range}} has no {{end}}',
    '{{end}}': 'an {{end}} ends nothing',
    '{{.ID': 'an action is not closed',
    '{{.ID}}': 'no field ID in a list',
    '{{range .}}{{.Id2}}{{end}}': 'no field Id2',
    '{{range .}}{{.size}}{{end}}': 'no field size',
    '{{range .}}{{.Szie}}{{end}}': 'did you mean "Size"?',
    '{{jsn .}}': 'function "jsn" is not defined (did you mean "json"?)',
    '{{$x}}': 'undefined variable $x',
    '{{1 | 2}}': 'cannot be called',
    '{{(index . 0}}': 'a parenthesis is not closed',
    '{{index . 5}}': 'index 5 of a list of 2',
    '{{printf "%d" "x"}}': 'which is no number',
    '{{printf "%s"}}': 'no argument for %s',
    '{{ }}': 'is empty',
    '{{a ! b}}': 'is not understood',
    '{{define "x"}}{{end}}': '{{define}} is known, but not supported',
    '{{html "x"}}': 'the function html is known, but not supported',
  };
  for (const [template, why] of Object.entries(refusals)) {
    it(`refuse ${template}: ${why}`, () => expect(() => formatted(template)).to.throw(why));
  }
});
