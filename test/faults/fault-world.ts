/** An engine, a good registry, and the faulty one that the engine sees in its place. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { DisposeStack } from '../../core/util/dispose.js';
import { mediaTypes } from '../../core/util/media-types.js';
import { build, type Daemon, openEngine, parseConfig } from '../../index.js';
import { control } from '../../proto/index.js';
import type { Random } from '../simulation/random.js';
import { DockerRegistry } from '../support/docker-registry.js';
import { collect } from '../support/fake-registry.js';
import { FaultyRegistry } from '../support/faults/faulty-registry.js';

const { signal: never } = new AbortController();

export interface BuildOrder {
  /** Of Dockerfile and context. */
  readonly folder: string;
  readonly image?: string;
  readonly out?: string;
  readonly cacheTo?: string;
  readonly cacheFrom?: string;
}

export class FaultWorld implements AsyncDisposable {
  readonly dir: string;
  readonly registry: FaultyRegistry;
  readonly #good: DockerRegistry;
  readonly #engine: Daemon;
  readonly #owned: DisposeStack;
  readonly #verified = new Set<string>();

  private constructor(
    dir: string,
    good: DockerRegistry,
    registry: FaultyRegistry,
    engine: Daemon,
    owned: DisposeStack,
  ) {
    this.dir = dir;
    this.registry = registry;
    this.#good = good;
    this.#engine = engine;
    this.#owned = owned;
  }

  static async open(dir: string): Promise<FaultWorld> {
    await using owned = new DisposeStack();
    const good = await owned.use(await DockerRegistry.start());
    const registry = await owned.use(await FaultyRegistry.start(good.host));
    // The time of a test, not of a network.
    const patience = { retryDelays: [2, 5, 10, 20], idleTimeout: 200 };
    const config = parseConfig('[worker.containerd]\nenabled = false\n[history]\nmaxEntries = 2\n');
    const engine = await owned.use(await openEngine({ root: join(dir, 'root'), config, patience }));
    return new FaultWorld(dir, good, registry, engine, owned.move());
  }

  /** The name of a repository as the engine knows it. */
  name(repository: string, tag: string): string {
    return `${this.registry.host}/${repository}:${tag}`;
  }

  async build({ folder, image, out, cacheTo, cacheFrom }: BuildOrder, signal: AbortSignal): Promise<string> {
    const { exporterResponse } = await build(
      this.#engine,
      {
        frontend: 'dockerfile.v0',
        offer: {
          folders: new Map([
            ['context', folder],
            ['dockerfile', folder],
          ]),
        },
        exports: [
          ...(image ? [{ type: 'image', attrs: { name: image, push: 'true' } }] : []),
          ...(out ? [{ type: 'local', attrs: {}, target: { kind: 'folder', path: out } as const }] : []),
        ],
        cacheExports: cacheTo ? [{ type: 'registry', attrs: { ref: cacheTo, mode: 'max' } }] : [],
        cacheImports: cacheFrom ? [{ type: 'registry', attrs: { ref: cacheFrom } }] : [],
      },
      signal,
    );
    return exporterResponse['containerimage.digest'] ?? '';
  }

  async forget(): Promise<void> {
    const all = control.PruneRequest.create({ all: true });
    for await (const _ of this.#engine.control.prune(all, { signal: never }));
  }

  /** What is in the engine's stores and not as it says; nothing is to build at the time. */
  async storeProblems(): Promise<string[]> {
    const problems = await wrongBlobs(join(this.dir, 'root/content/blobs/sha256'), this.#verified);
    const { record } = await this.#engine.control.diskUsage(control.DiskUsageRequest.create({}), {
      signal: never,
    });
    const used = record.filter(({ InUse }) => InUse);
    if (used.length > 0) problems.push(`${used.length} records are in use, and nothing is built`);
    if (record.some(({ Size }) => !(Size >= 0))) problems.push('a record has no size');
    return problems;
  }

  /** How many records it has. */
  async records(): Promise<number> {
    const { record } = await this.#engine.control.diskUsage(control.DiskUsageRequest.create({}), {
      signal: never,
    });
    return record.length;
  }

  /** An image of random files in the good registry; answers their texts by name. */
  async putBase(repository: string, tag: string, random: Random): Promise<Readonly<Record<string, string>>> {
    const files = [0, 1].map(
      (layer) => [`/base${layer}`, noise(random, 2000 + random.int(150_000))] as const,
    );
    const tars = await Promise.all(files.map(([name, text]) => tarOf(name, text)));
    const layers = await Promise.all(
      tars.map(async (tar) => {
        const data = gzipSync(tar, { level: 1 });
        return {
          mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
          ...(await this.#putBlob(repository, data)),
        };
      }),
    );
    const rootfs = { type: 'layers', diff_ids: tars.map(digestOf) };
    const platform = { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' };
    const config = await this.#putBlob(repository, Buffer.from(JSON.stringify({ ...platform, rootfs })));
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const manifest = {
      ...{ schemaVersion: 2, mediaType, layers },
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    };
    await this.#ask('PUT', `/v2/${repository}/manifests/${tag}`, JSON.stringify(manifest), mediaType);
    return Object.fromEntries(files);
  }

  /** What is wrong with an image or a cache that was pushed; the blobs are looked at by {@link registryProblems}. */
  async pushProblems(repository: string, tag: string, digest?: string): Promise<string[]> {
    const data = await this.#ask('GET', `/v2/${repository}/manifests/${tag}`);
    const found = digestOf(data);
    if (digest && digest !== found) return [`${repository}:${tag} is ${found}, and not ${digest}`];
    return this.#manifestProblems(repository, data);
  }

  /** Blobs of the good registry that are not what they are called. */
  async registryProblems(): Promise<string[]> {
    const folder = join(this.#good.data, 'docker/registry/v2/blobs/sha256');
    const found: string[] = [];
    for (const start of await readdir(folder))
      found.push(...(await wrongBlobs(join(folder, start), this.#verified)));
    return found.map((problem) => `registry: ${problem}`);
  }

  async write(name: string, files: Readonly<Record<string, string>>): Promise<string> {
    const folder = join(this.dir, name);
    await mkdir(folder, { recursive: true });
    for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
    return folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned[Symbol.asyncDispose]();
    await rm(this.dir, { recursive: true, force: true });
  }

  async #manifestProblems(repository: string, data: Buffer): Promise<string[]> {
    const { config, layers = [], manifests = [] } = JSON.parse(data.toString()) as ManifestJson;
    const problems: string[] = [];
    for (const { digest, size } of [...(config ? [config] : []), ...layers]) {
      const answer = await fetch(`http://${this.#good.host}/v2/${repository}/blobs/${digest}`, {
        method: 'HEAD',
      });
      const length = Number(answer.headers.get('content-length'));
      if (answer.status !== 200) problems.push(`${repository} lacks ${digest}`);
      else if (length !== size)
        problems.push(`${digest} of ${repository} has ${length} bytes, and not ${size}`);
    }
    for (const { digest } of manifests) {
      const inner = await this.#ask('GET', `/v2/${repository}/manifests/${digest}`);
      problems.push(...(await this.#manifestProblems(repository, inner)));
    }
    return problems;
  }

  async #putBlob(repository: string, data: Buffer): Promise<{ digest: string; size: number }> {
    const digest = digestOf(data);
    const begun = await fetch(`http://${this.#good.host}/v2/${repository}/blobs/uploads/`, {
      method: 'POST',
    });
    const url = new URL(begun.headers.get('location') ?? '', `http://${this.#good.host}`);
    url.searchParams.set('digest', digest);
    const done = await fetch(url, { method: 'PUT', body: data as NonNullable<RequestInit['body']> });
    if (done.status !== 201) throw new Error(`the good registry is not: ${done.status}`);
    return { digest, size: data.length };
  }

  async #ask(method: string, path: string, body?: string, type = '*/*'): Promise<Buffer> {
    const headers: Record<string, string> =
      body === undefined ? { accept: accepted } : { 'content-type': type };
    const answer = await fetch(`http://${this.#good.host}${path}`, {
      method,
      headers,
      ...(body ? { body } : {}),
    });
    if (!answer.ok) throw new Error(`the good registry says ${answer.status} to ${method} ${path}`);
    return Buffer.from(await answer.arrayBuffer());
  }
}

interface Described {
  readonly digest: string;
  readonly size: number;
}
interface ManifestJson {
  readonly config?: Described;
  readonly layers?: readonly Described[];
  readonly manifests?: readonly Described[];
}

const { ociIndex, ociManifest, dockerList, dockerManifest } = mediaTypes;
const accepted = [ociIndex, ociManifest, dockerList, dockerManifest].join(', ');

const digestOf = (data: Uint8Array): string => `sha256:${createHash('sha256').update(data).digest('hex')}`;

/** Files named after their digest that have another; `verified` have been looked at. Registries have folders instead. */
async function wrongBlobs(folder: string, verified: Set<string>): Promise<string[]> {
  const problems: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (verified.has(path)) continue;
    verified.add(path);
    const data = await readFile(entry.isDirectory() ? join(path, 'data') : path);
    const found = digestOf(data);
    if (found !== `sha256:${entry.name}`) problems.push(`the blob ${entry.name} is ${found}`);
  }
  return problems;
}

/** Text that does not compress to nothing. */
export function noise(random: Random, size: number): string {
  const words: string[] = [];
  for (let length = 0; length < size; length += 8)
    words.push(
      random
        .int(2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    );
  return words.join('');
}

async function tarOf(name: string, text: string): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name: name.slice(1), mode: 0o644, mtime: new Date(0) }, text);
  archive.finalize();
  return collect(archive as AsyncIterable<Uint8Array>);
}
