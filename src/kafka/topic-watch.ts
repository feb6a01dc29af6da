import { setTimeout as sleep } from 'node:timers/promises';
import { asAdmin } from './client/admin-call.ts';
import type { KafkaShared } from './shared.ts';
import { planTopics } from './topic-plan.ts';
import { describe, maxBatchBytesOf, verify } from './topics.ts';

type Watched = Pick<KafkaShared, 'options' | 'dependencies' | 'layout' | 'warnOf'>;

/**
 * Reads the topics' configs again: notes `max.message.bytes` in the layout, and logs new warnings.
 *
 * @returns the problems, one sentence each, with what to do
 * @throws as `asAdmin`, also where a topic is gone
 */
export async function lookAgain(
  shared: Watched,
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
 * Looks at the topics every `everyMs` until aborted. A topic that is not as it must be any more makes Kafka
 * not ready, until it is corrected.
 */
export async function watchTopics(
  shared: Watched & Pick<KafkaShared, 'health'>,
  everyMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { health } = shared;
  const look = async (): Promise<void> => {
    const problems = await lookAgain(shared);
    if (problems.length === 0) health.up('topics');
    else health.down('topics', `a topic was changed: ${problems.join('; ')}`);
  };
  for (;;) {
    await sleep(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) return;
    // Whoever publishes or reads reports that Kafka is away, or that a topic is gone.
    await look().catch(() => undefined);
  }
}
