import { expect } from 'chai';
import { formatPlatform, parsePlatform } from '../../../core/util/platform.js';
import { choosePlatform, platformsServing } from '../../../core/util/platform-match.js';

describe('platform choice', () => {
  const serving: Readonly<Record<string, string>> = {
    'linux/amd64': 'linux/amd64 linux/386',
    'linux/amd64/v3': 'linux/amd64/v3 linux/amd64/v2 linux/amd64 linux/386',
    'linux/386': 'linux/386',
    'linux/arm/v7': 'linux/arm/v7 linux/arm/v6 linux/arm/v5',
    'linux/arm/v6': 'linux/arm/v6 linux/arm/v5',
    'linux/arm64': 'linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5',
    'linux/arm64/v8.1': 'linux/arm64/v8.1 linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5',
    'linux/arm64/v9':
      'linux/arm64/v9 linux/arm64/v8.5 linux/arm64/v8.4 linux/arm64/v8.3 linux/arm64/v8.2 linux/arm64/v8.1 linux/arm64' +
      ' linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5',
    'linux/riscv64': 'linux/riscv64',
  };
  for (const [wanted, expected] of Object.entries(serving)) {
    it(`runs on ${wanted} what is built for ${expected.split(' ').length} platforms`, () => {
      expect(platformsServing(parsePlatform(wanted)).map(formatPlatform).join(' ')).to.equal(expected);
    });
  }

  const choose = (wanted: string, ...offered: string[]): string | undefined => {
    const found = choosePlatform(
      parsePlatform(wanted),
      offered.map((text) => (text === '' ? {} : { platform: parsePlatform(text) })),
    );
    return found && (found.platform ? formatPlatform(found.platform) : '');
  };

  it('knows an operating system or an architecture by its name alone, and nothing else', () => {
    expect(
      ['windows', 'riscv64', 'aarch64'].map((name) => formatPlatform(parsePlatform(name)).split('/')[0]),
    ).to.deep.equal(['windows', 'linux', 'linux']);
    expect(() => parsePlatform('moon')).to.throw('"moon": unknown operating system or architecture');
  });

  it('takes the nearest variant below', () => {
    expect(choose('linux/arm/v7', 'linux/arm/v5', 'linux/arm64', 'linux/arm/v6')).to.equal('linux/arm/v6');
    expect(choose('linux/amd64', 'linux/386', 'linux/amd64/v2', 'linux/amd64')).to.equal('linux/amd64');
  });

  it('takes an unnamed platform only when no named one serves', () => {
    expect(choose('linux/amd64', '', 'linux/amd64')).to.equal('linux/amd64');
    expect(choose('linux/amd64', '', 'linux/arm64')).to.equal('');
  });

  it('takes nothing that cannot run', () => {
    expect(choose('linux/amd64', 'linux/amd64/v3', 'windows/amd64', 'unknown/unknown')).to.equal(undefined);
  });
});
