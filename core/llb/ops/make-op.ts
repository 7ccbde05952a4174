import { invalid } from '../../contracts/errors.js';
import type { Op } from '../../solver/op.js';
import type { OpBody } from '../model.js';
import type { LlbServices } from '../services.js';
import { BuildOp } from './build.js';
import { DiffOp, MergeOp, PassthroughOp } from './combine.js';
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
    case 'merge':
      return new MergeOp(body, setting);
    case 'diff':
      return new DiffOp(body, setting);
    case 'passthrough':
      return new PassthroughOp(body, setting);
    case 'terminal':
      throw invalid(
        'llb.invalid',
        'an op that says nothing but its inputs can only be the last of a definition',
      );
  }
}
