import { setTimeout as sleep } from 'node:timers/promises';
import { asAdmin } from './client/admin-call.ts';
import type { KafkaShared } from './shared.ts';
import { planTopics } from './topic-plan.ts';
import { describe, maxBatchBytesOf, verify } from './topics.ts';

type WatchDeps = Pick<KafkaShared, 'options' | 'dependencies' | 'layout' | 'warnOf'>;

/**
 * Reads the topics' configs again, updates `max.message.bytes` in the layout and logs new warnings.
 *
 * @returns the problems, one sentence each, with a fix
 * @throws the errors of `asAdmin`, also when a topic is gone
 */
export async function recheckTopics(
  shared: WatchDeps,
  names?: readonly string[],
): Promise<readonly string[]> {
  const { options } = shared;
  const plans = planTopics(options).filter(({ name }) => names?.includes(name) ?? true);
  const topics = plans.map(({ name }) => name);
  return asAdmin(
    shared,
    async (admin) => {
      const metadata = await admin.fetchTopicMetadata({ topics });
      const problems: string[] = [];
      for (const plan of plans) {
        const found = metadata.topics.find(({ name }) => name === plan.name);
        if (found === undefined) continue;
        const description = await describe(admin, found);
        for (const { text } of verify(plan, description, options)) problems.push(text);
        shared.warnOf(plan, description);
        const layout = shared.layout().byName(plan.name);
        const isReadable = Object.keys(description.configs).length > 0;
        if (layout !== undefined && isReadable) layout.maxBatchBytes = maxBatchBytesOf(description);
      }
      return problems;
    },
    {
      doing: 'looking at the topics again',
      needs: topics.map((name) => ({ operation: 'Write', resource: 'topic', name })),
    },
  );
}

/**
 * Verifies the topics every `everyMs` until aborted. A topic with a problem makes Kafka not ready until
 * it is fixed.
 */
export async function watchTopics(
  shared: WatchDeps & Pick<KafkaShared, 'health'>,
  everyMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { health } = shared;
  const check = async (): Promise<void> => {
    const problems = await recheckTopics(shared);
    if (problems.length === 0) health.up('topics');
    else health.down('topics', `a topic was changed: ${problems.join('; ')}`);
  };
  for (;;) {
    await sleep(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) return;
    // Publishers and readers report an unavailable Kafka or a deleted topic themselves.
    await check().catch(() => undefined);
  }
}
