import type { Telemetry } from '../engine/ports.ts';

/** Whether Kafka can be used, told to the telemetry when it changes. */
export interface Health {
  /** `part` (the topics, the state, one partition's partition producer) works. */
  up(part: string): void;
  /** `part` does not work for now, and why. */
  down(part: string, reason: string): void;
}

/** Kafka is ready while every part that was heard of works; nothing is told before the first. */
export function createHealth(telemetry: Telemetry): Health {
  const troubles = new Map<string, string>();
  let told: string | undefined;
  const tell = (): void => {
    const [reason = ''] = troubles.values();
    if (told === reason) return;
    told = reason;
    telemetry.report({ type: 'dependency', name: 'kafka', ready: reason === '', reason });
  };
  return {
    up(part) {
      troubles.delete(part);
      tell();
    },
    down(part, reason) {
      troubles.set(part, reason);
      tell();
    },
  };
}
