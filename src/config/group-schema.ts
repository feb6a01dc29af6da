import { duration } from './formats.ts';
import { leaf } from './leaf.ts';

/** How instances notice each other. */
export const group = {
  sessionTimeout: leaf(
    'KAFKA_GROUP_SESSION_TIMEOUT',
    duration('1s', '30m'),
    "After this long without a heartbeat an instance has lost its accounts to the others; between the broker's `group.min.session.timeout.ms` and `group.max.session.timeout.ms` (6 s and 30 min).",
  ),
  heartbeat: leaf(
    'KAFKA_GROUP_HEARTBEAT',
    duration('100ms', '10m'),
    'How often an instance lets the others know that it lives, and hears of changes; at most a third of the session timeout.',
  ),
  rebalanceTimeout: leaf(
    'KAFKA_GROUP_REBALANCE_TIMEOUT',
    duration('1s', '30m'),
    'How long a change of the group waits for an instance that has not joined again.',
  ),
};
