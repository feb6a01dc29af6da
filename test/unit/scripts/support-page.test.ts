import { expect, test } from '@jest/globals';
import {
  renderSupport,
  type SupportCell,
  type SupportStep,
  supportSteps,
} from '../../../scripts/support-page.ts';

const steps = Object.keys(supportSteps) as SupportStep[];

function cellsOf(cell: (step: SupportStep) => SupportCell): Record<SupportStep, SupportCell> {
  return Object.fromEntries(steps.map((step) => [step, cell(step)])) as Record<
    SupportStep,
    SupportCell
  >;
}

const page = renderSupport({
  date: '2026-11-30',
  consumer: 'a consumer',
  worlds: [
    {
      brokers: 'Kafka 4.4.0',
      registry: 'Apicurio 3.3.3',
      cells: cellsOf((step) =>
        step === 'run' || step === 'tail'
          ? { outcome: 'failed', why: 'exit code 3' }
          : { outcome: 'passed' },
      ),
    },
    {
      brokers: 'Redpanda 25',
      registry: 'its own',
      cells: cellsOf(() => ({ outcome: 'not run', why: 'no Docker engine' })),
    },
  ],
  upgrades: [{ from: 'Kafka 3.9.2', to: 'Kafka 4.4.0', outcome: 'failed', why: '1 lost' }],
});

test('support page: shows the outcome of each step of each world and of each upgrade', () => {
  expect(page).toContain('`npm run test:matrix` on 2026-11-30');
  expect(page).toContain(
    '| Kafka 4.4.0 | Apicurio 3.3.3 | passed | passed | passed | failed | failed | passed | passed |',
  );
  expect(page).toContain('| Kafka 3.9.2 | Kafka 4.4.0 | failed |');
});

test('support page: gives the reason of every cell that has not passed, each reason once', () => {
  const [, reasons = ''] = page.split('\n## Not passed\n\n');
  expect(reasons.trim().split('\n')).toEqual([
    '- Kafka 4.4.0, Apicurio 3.3.3, run, tail: failed: exit code 3',
    '- Redpanda 25, its own, every step: not run: no Docker engine',
    '- upgrade from Kafka 3.9.2 to Kafka 4.4.0: failed: 1 lost',
  ]);
});
