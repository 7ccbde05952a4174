import { BuildError } from '../../contracts/errors.js';
import type { Op } from '../../solver/op.js';
import type { OpBody } from '../model.js';
import type { LlbServices } from '../services.js';
import { BuildOp } from './build.js';
import { ExecOp } from './exec.js';
import { FileOp } from './file.js';
import type { OpSetting } from './setting.js';
import { SourceOp } from './source.js';

/** The solver's op for a body that `refuseUnsupported` let through. */
export function makeOp(body: OpBody, setting: OpSetting, services: LlbServices): Op {
  switch (body.kind) {
    case 'exec':
      return new ExecOp(body, setting, services);
    case 'file':
      return new FileOp(body, setting);
    case 'source':
      return new SourceOp(body, setting, services.sources);
    case 'build':
      return new BuildOp(body, setting);
    default:
      throw new BuildError('llb.unsupported', `${body.kind} ops cannot run`, { grpcCode: 'Unimplemented' });
  }
}
