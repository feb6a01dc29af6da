import type { Telemetry } from '../engine/ports.ts';

/** The readiness of Kafka, reported to the telemetry when it changes. */
export interface KafkaHealth {
  /** Reports that `part` (the topics, the state, one partition's producer) works. */
  up(part: string): void;
  /** Reports that `part` does not work at present, with the reason. */
  down(part: string, reason: string): void;
}

/** Creates the health: Kafka is ready while every reported part works. */
export function createHealth(telemetry: Telemetry): KafkaHealth {
  const problems = new Map<string, string>();
  let reported: string | undefined;
  const report = (): void => {
    const [reason = ''] = problems.values();
    if (reported === reason) return;
    reported = reason;
    telemetry.report({ type: 'dependency', name: 'kafka', ready: reason === '', reason });
  };
  return {
    up(part) {
      problems.delete(part);
      report();
    },
    down(part, reason) {
      problems.set(part, reason);
      report();
    },
  };
}
