import type { Health } from './health.ts';
import type { Layout } from './layout.ts';
import type { KafkaDependencies, KafkaOptions } from './options.ts';

/** What the parts of the adapter share. */
export interface KafkaShared {
  readonly options: KafkaOptions;
  readonly dependencies: KafkaDependencies;
  readonly health: Health;
  /** @throws Error before the topics are prepared */
  layout(): Layout;
}
