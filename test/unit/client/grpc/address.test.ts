import { expect } from 'chai';
import { parseAddress } from '../../../../client/grpc/address.js';

/** The line that a shell would take. */
function lineOf(address: string): string {
  const target = parseAddress(address);
  return target.kind === 'command' ? [target.command, ...target.args].join(' ') : target.target;
}

describe('address of a daemon', () => {
  const lines: Readonly<Record<string, string>> = {
    'unix:///run/buildkit/buildkitd.sock': 'unix:///run/buildkit/buildkitd.sock',
    'tcp://127.0.0.1:1234': 'dns:127.0.0.1:1234',
    'tcp://[::1]:1234': 'dns:[::1]:1234',
    'docker-container://bk': 'docker exec -i bk buildctl dial-stdio',
    'docker-container://bk_1?context=remote': 'docker --context=remote exec -i bk_1 buildctl dial-stdio',
    'podman-container://bk': 'podman exec -i bk buildctl dial-stdio',
    'nerdctl-container://bk': 'nerdctl exec -i bk buildctl dial-stdio',
    'nerdctl-container://bk?namespace=ci': 'nerdctl exec --namespace ci -i bk buildctl dial-stdio',
    'kube-pod://pod': 'kubectl --context= --namespace= exec --container= -i pod -- buildctl dial-stdio',
    'kube-pod://pod?context=user@cluster&namespace=ns&container=c':
      'kubectl --context=user@cluster --namespace=ns exec --container=c -i pod -- buildctl dial-stdio',
    'ssh://host': 'ssh -- host buildctl dial-stdio',
    'ssh://me@host:10022/s/o.sock': 'ssh -l me -p 10022 -- host buildctl --addr unix:///s/o.sock dial-stdio',
  };
  for (const [address, line] of Object.entries(lines)) {
    it(`leads from ${address} to ${line}`, () => expect(lineOf(address)).to.equal(line));
  }

  const refusals: Readonly<Record<string, string>> = {
    'docker-container://': 'it names no container',
    'docker-container://--rm': '"--rm" is no name',
    'kube-pod://': 'it names no container',
    'kube-pod://a_pod': '"a_pod" cannot name a pod',
    'kube-pod://p?namespace=n_s': '"n_s" cannot name a namespace',
    'ssh://': 'it names no host',
    'ssh://me:secret@host': 'a password has no place in it',
    'ssh://host?x': '"?x" means nothing',
    'ssh://host#x': '"#x" means nothing',
    'tcp://host': 'is not the address of a daemon',
    'dcoker-container://x': 'did you mean "docker-container"?',
    'npipe:////./pipe/x': 'for Windows',
    buildkitd: 'is not the address of a daemon',
  };
  for (const [address, why] of Object.entries(refusals)) {
    it(`refuses ${address}`, () => expect(() => parseAddress(address)).to.throw(why));
  }
});
