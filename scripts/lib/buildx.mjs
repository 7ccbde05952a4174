/**
 * Gets docker buildx out of Debian trixie's package, for machines whose own release has none. apt downloads the one
 * package with lists and settings of its own; the system's are not touched, and nothing is installed.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './steps.mjs';

const RELEASE = 'trixie';
const PACKAGE = 'docker-buildx';
const KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg';
const inPackage = 'usr/libexec/docker/cli-plugins/docker-buildx';

/** Where {@link installBuildx} puts the program. */
export const buildx = join(root, '.cache/buildx', inPackage);

/** Downloads and unpacks it, unless it is there. */
export function installBuildx() {
  if (existsSync(buildx)) return;
  const work = mkdtempSync(join(tmpdir(), 'buildx-'));
  try {
    const [env, debs] = privateApt(work);
    const apt = (...args) => execFileSync('apt-get', ['-qq', ...args], { cwd: debs, env, stdio: 'inherit' });
    apt('update');
    apt('download', PACKAGE);
    const [deb] = readdirSync(debs);
    const target = join(root, '.cache/buildx');
    mkdirSync(target, { recursive: true });
    execFileSync('dpkg-deb', ['-x', join(debs, deb), target]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** An environment in which apt knows this release only, and the folder that it downloads to. */
function privateApt(work) {
  const path = (name) => join(work, name);
  for (const folder of ['lists/partial', 'cache/archives/partial', 'debs'])
    mkdirSync(path(folder), { recursive: true });
  writeFileSync(path('sources.list'), `deb [signed-by=${KEYS}] ${mirror()} ${RELEASE} main\n`);
  const settings = {
    'Dir::Etc::SourceList': path('sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::Etc::Preferences': '/dev/null',
    'Dir::Etc::PreferencesParts': '/dev/null',
    'Dir::State::Lists': path('lists'),
    'Dir::Cache': path('cache'),
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} "${value}";\n`);
  writeFileSync(path('apt.conf'), lines.join(''));
  return [{ ...process.env, APT_CONFIG: path('apt.conf') }, path('debs')];
}

/** Debian's mirror that this machine uses already, in either of apt's notations. */
function mirror() {
  const folder = '/etc/apt/sources.list.d';
  const files = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  for (const file of ['/etc/apt/sources.list', ...files].filter((name) => existsSync(name))) {
    const text = readFileSync(file, 'utf8');
    const found = /^(?:URIs:|deb)\s(?:.*\s)?(\S+\/debian\/?)(?:\s|$)/m.exec(text);
    if (found) return found[1];
  }
  return 'http://deb.debian.org/debian';
}
