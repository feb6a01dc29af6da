import type { Config } from '../../config/config.ts';
import type { RegistryAdapter, SubjectFinding } from '../../registry/index.ts';
import { standing } from '../schemas-text.ts';
import type { Finding, CheckStep } from './checklist.ts';

/** Returns the steps that check the connection to the registry and the schemas' compatibility. */
export function registrySteps(config: Config, registry: RegistryAdapter): readonly CheckStep[] {
  const { url, mode } = config.schemaRegistry;
  return [
    {
      id: 'registry.connection',
      needs: [],
      run: async (signal) => {
        await registry.ping(signal);
        return [{ status: 'ok', subject: url, detail: 'answers, and takes the login' }];
      },
    },
    {
      id: 'registry.schemas',
      needs: ['registry.connection'],
      run: async (signal) => {
        const findings = await registry.inspect(signal);
        return findings.map((finding) => schemaFinding(finding, mode));
      },
    },
  ];
}

function schemaFinding(finding: SubjectFinding, mode: 'register' | 'verify'): Finding {
  const { subject, incompatible } = finding;
  switch (standing(finding, mode)) {
    case 'incompatible':
      return {
        status: 'failed',
        subject,
        detail: incompatible ?? '',
        code: 'registry.incompatible',
      };
    case 'missing':
      return {
        status: 'failed',
        subject,
        detail: 'is not registered, and SCHEMA_REGISTRY_MODE is verify',
        action: 'Run `instagram-kafka schemas register`.',
        code: 'registry.missing',
      };
    case 'blocked':
      return {
        status: 'failed',
        subject,
        detail: `is not registered, and its mode ${finding.mode ?? ''} accepts no new schema`,
        action:
          'Set the mode to READWRITE, or SCHEMA_REGISTRY_URL to the registry that accepts schemas.',
        code: 'registry.rejected',
      };
    case 'registered':
      return { status: 'ok', subject, detail: `registered with id ${String(finding.id)}` };
    case 'new':
      return { status: 'ok', subject, detail: 'new: the start registers it' };
    case 'compatible':
      return { status: 'ok', subject, detail: 'compatible: the start registers it' };
  }
}
