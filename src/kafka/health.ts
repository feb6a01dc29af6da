import type { Telemetry } from '../engine/ports.ts';

/** The readiness of Kafka, reported to the telemetry when it changes. */
export interface Health {
  /** Reports that `part` (the topics, the state, one partition's producer) works. */
  up(part: string): void;
  /** Reports that `part` does not work at present, with the reason. */
  down(part: string, reason: string): void;
}

/** Creates the health: Kafka is ready while every reported part works. */
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
