import type { Config } from '../../config/config.ts';
import type { RegistryAdapter, SubjectFinding } from '../../registry/index.ts';
import { schemaStatus } from '../schemas.ts';
import { type CheckStep, type Finding, ok, step } from './checklist.ts';
import type { AccountIds } from './kafka-steps.ts';

export function registrySteps(
  config: Config,
  registry: RegistryAdapter,
  accountIds: AccountIds,
): readonly CheckStep[] {
  const { url, mode } = config.schemaRegistry;
  return [
    step('registry.connection', [], async (signal) => {
      await registry.ping(signal);
      return [ok('answers, and takes the login', url)];
    }),
    step('registry.schemas', ['registry.connection'], async (signal) => {
      const findings = await registry.inspect(signal, await accountIds(signal));
      return findings.map((finding) => schemaFinding(finding, mode));
    }),
  ];
}

function schemaFinding(finding: SubjectFinding, mode: 'register' | 'verify'): Finding {
  const { subject, incompatible } = finding;
  const failed = { status: 'failed', subject } as const;
  const result = schemaStatus(finding, mode);
  switch (result) {
    case 'incompatible':
      return { ...failed, detail: incompatible ?? '', code: 'registry.incompatible' };
    case 'missing':
      return {
        ...failed,
        detail: 'is not registered, and SCHEMA_REGISTRY_MODE is verify',
        action: 'Run `instagram-kafka schemas register`.',
        code: 'registry.missing',
      };
    case 'blocked':
      return {
        ...failed,
        detail: `is not registered, and its mode ${finding.mode ?? ''} accepts no new schema`,
        action:
          'Set the mode to READWRITE, or SCHEMA_REGISTRY_URL to the registry that accepts schemas.',
        code: 'registry.rejected',
      };
    case 'registered':
      return ok(`registered with id ${String(finding.id)}`, subject);
    case 'new':
    case 'compatible':
      return ok(`${result}: the start registers it`, subject);
  }
}
