/**
 * Gets a program out of the package of a newer Debian release, for machines whose own release has none, or an old one.
 * apt downloads the one package with lists and settings of its own; the system's are not touched, and nothing is
 * installed.
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

const RELEASE = 'trixie';
const KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Downloads `name` and unpacks it below `target`, unless `program` is there. */
export function unpackFromNewerDebian(name, target, program) {
  if (existsSync(join(target, program))) return;
  const work = mkdtempSync(join(tmpdir(), 'newer-debian-'));
  try {
    const [env, debs] = privateApt(work);
    const apt = (...args) => execFileSync('apt-get', ['-qq', ...args], { cwd: debs, env, stdio: 'inherit' });
    apt('update');
    apt('download', name);
    const [deb] = readdirSync(debs);
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
