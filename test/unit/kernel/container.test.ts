import { expect } from 'chai';
import { family, token } from '../../../core/contracts/index.js';
import { KernelContainer } from '../../../core/kernel/container.js';

interface Greeter {
  greet(): string;
}
const Name = token<string>('test/name');
const Greeters = family<Greeter>('TestGreeter');

describe('kernel container', () => {
  it('gives a factory the values of its tokens and builds it once', async () => {
    await using container = new KernelContainer();
    let built = 0;
    const bind = container.binder('core');
    bind(Name).toValue('Ada');
    bind(Greeters.named('polite')).toFactory([Name], (name) => {
      built++;
      return { greet: () => `Good day, ${name}` };
    });
    expect(container.get(Greeters.named('polite')).greet()).to.equal('Good day, Ada');
    expect(container.get(Greeters.named('polite'))).to.equal(container.get(Greeters.all).get('polite'));
    expect(built).to.equal(1);
  });

  it('lists what is bound to a family, also what is bound later, and nothing of an excluded owner', async () => {
    await using container = new KernelContainer();
    const all = container.get(Greeters.all);
    expect(all.ids()).to.deep.equal([]);
    container
      .binder('exporter.b')(Greeters.named('b'))
      .toValue({ greet: () => 'b' });
    container
      .binder('exporter.a')(Greeters.named('a'))
      .toValue({ greet: () => 'a' });
    expect(all.ids()).to.deep.equal(['a', 'b']);
    container.exclude('exporter.a');
    expect(all.ids()).to.deep.equal(['b']);
    expect(all.get('a')).to.equal(undefined);
  });

  it('names both plugins when a token is bound twice', async () => {
    await using container = new KernelContainer();
    container.binder('exporter.one')(Name).toValue('1');
    expect(() => container.binder('exporter.two')(Name).toValue('2')).to.throw(
      'test/name is bound by exporter.one and again by exporter.two',
    );
  });

  it('disposes in reverse order of creation, all of it even when one fails', async () => {
    const order: string[] = [];
    const part = (name: string, fails = false): AsyncDisposable => ({
      async [Symbol.asyncDispose]() {
        order.push(name);
        if (fails) throw new Error(name);
      },
    });
    const [A, B, C] = ['a', 'b', 'c'].map((name) => token<AsyncDisposable>(`test/${name}`)) as [
      never,
      never,
      never,
    ];
    const container = new KernelContainer();
    const bind = container.binder('core');
    bind(C).toFactory([B], () => part('c') as never);
    bind(B).toFactory([A], () => part('b', true) as never);
    bind(A).toFactory([], () => part('a') as never);
    container.get(C);
    const error = await container[Symbol.asyncDispose]().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(order).to.deep.equal(['c', 'b', 'a']);
    expect(error).to.be.instanceOf(AggregateError);
  });
});
