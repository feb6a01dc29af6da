import { createShutdownBudget } from '../../src/engine/shutdown-budget.ts';

/** The default grace period; no shutdown begins. */
export const usualShutdown = createShutdownBudget(25_000, () => 0);
