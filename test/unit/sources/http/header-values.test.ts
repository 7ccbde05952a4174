import { expect } from 'chai';
import {
  dispositionName,
  etagValue,
  parseHttpDate,
  urlName,
} from '../../../../plugins/sources/http/header-values.js';

describe('http header values', () => {
  it('are dates in three forms', () => {
    const time = Date.UTC(1994, 10, 6, 8, 49, 37);
    expect(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT')).to.equal(time);
    expect(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT')).to.equal(time);
    expect(parseHttpDate('Sun Nov  6 08:49:37 1994')).to.equal(time);
    expect(parseHttpDate('Tuesday, 02-Jan-24 03:04:05 GMT')).to.equal(Date.UTC(2024, 0, 2, 3, 4, 5));
    for (const text of ['', 'yesterday', '1994-11-06', 'Sun, 06 Nov 1994 08:49:37 +0100']) {
      expect(parseHttpDate(text), text).to.equal(undefined);
    }
  });

  it('are entity tags, weak or not', () => {
    expect([etagValue('"x"'), etagValue('W/"x"')]).to.deep.equal(['"x"', '"x"']);
  });

  const dispositions: Readonly<Record<string, string | undefined>> = {
    'attachment; filename=plain.txt': 'plain.txt',
    'attachment; filename="with space.txt"': 'with space.txt',
    'inline; filename="../../etc/passwd"': 'passwd',
    'attachment; filename="old.txt"; filename*=UTF-8\'\'n%C3%A9w.txt': 'néw.txt',
    'attachment; filename="nÃ©.txt"': 'né.txt',
    'attachment; filename="folder/"': undefined,
    'attachment; filename=".."': undefined,
    attachment: undefined,
    '': undefined,
  };
  for (const [header, name] of Object.entries(dispositions)) {
    it(`name a file ${name ?? 'not at all'} in “${header}”`, () => {
      expect(dispositionName(header)).to.equal(name);
    });
  }

  it('are not needed for URLs that end in a name', () => {
    expect(urlName('http://h/a/f.txt?x=y/z#w')).to.equal('f.txt');
    expect(urlName('https://h/a/dir//')).to.equal('dir');
    expect(urlName('https://h/n%20me')).to.equal('n me');
    for (const url of ['http://h', 'http://h/', 'http://h/..', 'http://h/%zz']) {
      expect(urlName(url), url).to.equal(undefined);
    }
  });
});
