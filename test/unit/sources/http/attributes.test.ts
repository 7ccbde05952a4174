import { expect } from 'chai';
import { sha256 } from '../../../../core/util/digest.js';
import { parsePlatform } from '../../../../core/util/platform.js';
import { type HttpRequest, parseHttpRequest } from '../../../../plugins/sources/http/attributes.js';
import { downloadIndex, httpKey } from '../../../../plugins/sources/http/keys.js';

const parse = (attrs: Record<string, string> = {}, name = 'h.org/f.txt'): HttpRequest =>
  parseHttpRequest({ scheme: 'https', name, attrs, platform: parsePlatform('linux/amd64') });
const digest = `sha256:${'b'.repeat(64)}` as const;

describe('http attributes', () => {
  it('are all read, numbers as Go writes them', () => {
    const attrs = {
      'http.checksum': digest,
      'http.filename': 'g.txt',
      'http.perm': '0644',
      'http.uid': '12',
      'http.gid': '0x22',
      'http.authheadersecret': 'S',
      'http.header.User-Agent': 'me',
      'http.header.accept': '*/*',
    };
    expect(parse(attrs)).to.deep.equal({
      url: 'https://h.org/f.txt',
      checksum: digest,
      filename: 'g.txt',
      perm: 0o644,
      uid: 12,
      gid: 34,
      authHeaderSecret: 'S',
      headers: [
        { name: 'Accept', value: '*/*' },
        { name: 'User-Agent', value: 'me' },
      ],
    });
    expect(parse({ 'http.perm': '0o600' }).perm).to.equal(0o600);
  });

  it('are refused when they say nothing that can be done', () => {
    const bad: Readonly<Record<string, string>> = {
      'http.checksum': 'sha256:abc',
      'http.filename': '../f',
      'http.perm': 'rw',
      'http.uid': '08',
      'http.header.accept': 'a\r\nb: c',
      'http.header.host': 'h',
      'http.chcksum': digest,
    };
    for (const [name, value] of Object.entries(bad))
      expect(() => parse({ [name]: value }), name).to.throw(name);
    expect(() => parse({}, 'h.org/a b')).to.throw('is not a URL');
  });
});

describe('http cache keys', () => {
  const data = 'sha256:6667b2d1aab6a00caa5aee5af8ad9f1465e567abf1c209d15727d57b3e8f6e5f';
  const lastModified = Date.UTC(2024, 0, 2, 3, 4, 5);

  it('are those of BuildKit', () => {
    expect(httpKey(parse(), { filename: 'f.txt', digest: data, lastModified })).to.equal(
      'sha256:270b08b825223049fc468891e456b5b9a731ea1be9eeeba5f70f6aaea35f6de6',
    );
  });

  it('are those of BuildKit with every option', () => {
    const request = parse({
      'http.perm': '0644',
      'http.uid': '3',
      'http.header.accept': 'a/b',
      'http.authheadersecret': 'S',
    });
    const facts = { filename: 'né.txt', digest: sha256('disp\n'), lastModified: undefined };
    expect(httpKey(request, facts)).to.equal(
      'sha256:4abb4cb5ed502d8ca08e2d83868a6606832acf8c2fc1f746655212cb806ad487',
    );
  });

  it('tell apart what becomes another file', () => {
    const facts = { filename: 'f.txt', digest: data, lastModified: undefined } as const;
    const variants: readonly Record<string, string>[] = [
      {},
      { 'http.perm': '0644' },
      { 'http.uid': '1' },
      { 'http.header.accept': 'x' },
    ];
    const keys = variants.map((attrs) => httpKey(parse(attrs), facts));
    expect(new Set([...keys, httpKey(parse(), { ...facts, filename: 'g' })]).size).to.equal(5);
  });

  it('find downloads by what was asked, whether or not a checksum was given', () => {
    expect(downloadIndex(parse())).to.equal(downloadIndex(parse({ 'http.checksum': digest })));
    expect(downloadIndex(parse())).to.not.equal(downloadIndex(parse({ 'http.filename': 'x' })));
  });
});
