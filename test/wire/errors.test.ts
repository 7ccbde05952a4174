import { expect } from 'chai';
import { BuildError, canceled, type ErrorDetail, notFound } from '../../core/contracts/errors.js';
import { decodeDetail, encodeDetail } from '../../proto/error-details.js';
import { rpc, wellknown } from '../../proto/index.js';
import { marshalOp } from '../../proto/marshal.js';
import {
  buildStatusOf,
  callStatusOf,
  errorOf,
  errorOfCall,
  errorOfServiceError,
  statusOf,
} from '../../proto/status.js';

/** Wire facts G7, recorded from BuildKit. */
const golden: readonly (readonly [name: string, json: string, detail: ErrorDetail])[] = [
  [
    'errdefs.Source',
    '{"info":{"filename":"Dockerfile","data":"RlJPTSBzY3JhdGNoCg==","language":"Dockerfile"},"ranges":[{"start":{"line":1},"end":{"line":1,"character":4}}]}',
    {
      type: 'source',
      info: { filename: 'Dockerfile', data: Buffer.from('FROM scratch\n'), language: 'Dockerfile' },
      ranges: [{ start: { line: 1, character: 0 }, end: { line: 1, character: 4 } }],
    },
  ],
  [
    'errdefs.Vertex',
    '{"digest":"sha256:4c94485e0c21ae6c41ce1dfe7b6bfaceea5ab68e40a2476f50208e526f506080"}',
    {
      type: 'vertex',
      digest: 'sha256:4c94485e0c21ae6c41ce1dfe7b6bfaceea5ab68e40a2476f50208e526f506080',
    },
  ],
  [
    'errdefs.Solve',
    '{"inputIDs":["in0"],"mountIDs":["","m1"],"op":{"exec":{"meta":{"args":["false"],"cwd":"/"}},"platform":{"Architecture":"amd64","OS":"linux"}},"file":{},"description":{"llb.customname":"RUN false"}}',
    {
      type: 'solve',
      inputIds: ['in0'],
      mountIds: ['', 'm1'],
      op: marshalOp({
        exec: { meta: { args: ['false'], cwd: '/' } },
        platform: { Architecture: 'amd64', OS: 'linux' },
      }),
      subject: { file: 0 },
      description: { 'llb.customname': 'RUN false' },
    },
  ],
  ['errdefs.Subrequest', '{"name":"foo"}', { type: 'subrequest', name: 'foo' }],
  ['errdefs.FrontendCap', '{"name":"cap.x"}', { type: 'frontend-cap', name: 'cap.x' }],
  [
    'errdefs.Frontend',
    '{"name":"gateway.v0","source":"x"}',
    { type: 'frontend', name: 'gateway.v0', source: 'x' },
  ],
  ['gatewayapi.ExitMessage', '{"Code":7}', { type: 'exit', exitCode: 7 }],
];

const urlOf = (name: string): string => `github.com/moby/buildkit/${name}+json`;

describe('error details', () => {
  for (const [name, json, detail] of golden) {
    it(`writes and reads ${name} as BuildKit does`, () => {
      const any = encodeDetail(detail);
      expect(any.typeUrl).to.equal(urlOf(name));
      expect(Buffer.from(any.value).toString()).to.equal(json);
      expect(decodeDetail({ typeUrl: urlOf(name), value: Buffer.from(json) })).to.deep.equal(detail);
    });
  }

  it('has the bytes of an Any right', () => {
    const bytes = wellknown.Any.encode(encodeDetail({ type: 'exit', exitCode: 7 })).finish();
    expect(Buffer.from(bytes).toString('hex')).to.equal(
      '0a346769746875622e636f6d2f6d6f62792f6275696c646b69742f676174657761796170692e457869744d6573736167652b6a736f6e120a7b22436f6465223a377d',
    );
  });

  it('keeps details that it does not know, and puts stacks first', () => {
    const stack = { typeUrl: urlOf('stack.Stack'), value: Buffer.from('{"frames":[]}') };
    const error = new BuildError('exec.exit', 'boom', {
      details: [
        { type: 'exit', exitCode: 1 },
        { type: 'raw', ...stack },
      ],
    });
    const status = statusOf(error);
    expect(status.details.map((any) => any.typeUrl)).to.deep.equal([
      stack.typeUrl,
      urlOf('gatewayapi.ExitMessage'),
      'buildkit-ts/error+json',
    ]);
    expect(errorOf(status).details).to.deep.equal([
      { type: 'raw', ...stack },
      { type: 'exit', exitCode: 1 },
    ]);
  });

  it('keeps a known detail whose JSON is broken as raw bytes', () => {
    const any = { typeUrl: urlOf('errdefs.Vertex'), value: Buffer.from('{') };
    expect(decodeDetail(any)).to.deep.equal({ type: 'raw', ...any });
  });
});

describe('errors on the wire', () => {
  it('carries code, message, details, own code and hint through a call', () => {
    const error = notFound('source.missing', 'no such image', {
      hint: 'push it first',
      details: [{ type: 'subrequest', name: 's' }],
    });
    const back = errorOfCall(callStatusOf(error));
    expect({ ...back }).to.deep.include({
      code: 'source.missing',
      grpcCode: 'NotFound',
      hint: 'push it first',
    });
    expect(back.message).to.equal('no such image');
    expect(back.details).to.deep.equal(error.details);
  });

  it('fails builds with Unknown, which clients do not print, and keeps the code for its own clients', () => {
    const status = buildStatusOf(notFound('source.missing', 'no such image'));
    expect(status).to.include({ code: 2, message: 'no such image' });
    expect(rpc.Status.decode(status.details!).code).to.equal(2);
    expect(errorOfCall(status)).to.include({ code: 'source.missing', grpcCode: 'NotFound' });
    const others = [canceled(), new BuildError('x.y', 'stopping', { grpcCode: 'Unavailable' })];
    expect(others.map((error) => buildStatusOf(error).code)).to.deep.equal([1, 14]);
  });

  it('takes off the code that a client has put before the message of an error it hands on', () => {
    const texts = [
      { code: 3, message: 'InvalidArgument: no stage "x"' },
      { code: 5, message: 'InvalidArgument: no stage "x"' },
      { code: 2, message: 'plain' },
    ].map((call) => errorOfCall(call).message);
    expect(texts).to.deep.equal(['no stage "x"', 'InvalidArgument: no stage "x"', 'plain']);
  });

  it('names a foreign error after its gRPC code', () => {
    const codes = [3, 4, 5, 12, 14].map((code) => errorOfCall({ code, message: 'x' }).code);
    expect(codes).to.deep.equal([
      'remote.invalid-argument',
      'remote.deadline-exceeded',
      'remote.not-found',
      'remote.unimplemented',
      'remote.unavailable',
    ]);
  });

  it('lets an abort arrive as cancellation', () => {
    const status = callStatusOf(canceled());
    expect(status).to.deep.include({ code: 1, message: 'context canceled' });
    expect(errorOfCall(status).code).to.equal('canceled');
  });

  it('reads what grpc-js throws', () => {
    const status = rpc.Status.encode({
      code: 2,
      message: 'full text',
      details: [encodeDetail({ type: 'exit', exitCode: 3 })],
    });
    const error = Object.assign(new Error('2 UNKNOWN: short'), {
      code: 2,
      details: 'short',
      metadata: { get: () => [Buffer.from(status.finish())] },
    });
    const back = errorOfServiceError(error);
    expect(back.message).to.equal('full text');
    expect(back.details).to.deep.equal([{ type: 'exit', exitCode: 3 }]);
  });

  it('falls back to the trailers when the details are no protobuf', () => {
    expect(errorOfCall({ code: 5, message: 'gone', details: Buffer.from('ff', 'hex') }).message).to.equal(
      'gone',
    );
  });
});
