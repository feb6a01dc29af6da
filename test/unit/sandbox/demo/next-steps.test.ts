import { existsSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { describeNextSteps, describeStepsAfterwards } from '../../../../sandbox/demo/next-steps.ts';

const demo = {
  statusUrl: 'http://127.0.0.1:1',
  apiUrl: 'http://127.0.0.1:2',
  env: {
    KAFKA_BROKERS: '127.0.0.1:3',
    SCHEMA_REGISTRY_URL: 'http://127.0.0.1:4/path',
    INSTAGRAM_ACCESS_TOKEN: 'token',
  },
  isLive: true,
};

describe('demo: next steps', () => {
  test('name the status page, and commands with the addresses of this run', () => {
    const lines = describeNextSteps(demo);

    expect(lines).toContain('  http://127.0.0.1:1/');
    expect(lines).toContain(
      "  KAFKA_BROKERS='127.0.0.1:3' SCHEMA_REGISTRY_URL='http://127.0.0.1:4/path' npx node src/main.ts tail media",
    );
    expect(lines).toContain(
      `  curl -X POST http://127.0.0.1:2/_sandbox/clock -d '{"advance_ms": 600000}'`,
    );
    expect(lines.join('\n')).not.toContain('INSTAGRAM_ACCESS_TOKEN');
  });

  test('pass on the names in a given cluster', () => {
    const names = { KAFKA_TOPIC_TEMPLATE: 'demo.{stream}', KAFKA_TRANSACTIONAL_ID_PREFIX: 'demo' };
    const text = describeNextSteps({ ...demo, env: { ...demo.env, ...names } }).join('\n');

    expect(text).toContain(
      "KAFKA_TOPIC_TEMPLATE='demo.{stream}' KAFKA_TRANSACTIONAL_ID_PREFIX='demo' npx",
    );
  });

  test('do not change the world of a recording, which stands still', () => {
    expect(describeNextSteps({ ...demo, isLive: false }).join('\n')).not.toContain('curl');
  });

  test('name existing pages, also after the end', () => {
    const text = [...describeNextSteps(demo), ...describeStepsAfterwards()].join('\n');
    const pages = [...text.matchAll(/docs\/[\w-]+\.md/g)].map(([page]) => page);

    expect(new Set(pages).size).toBe(3);
    expect(pages.filter((page) => !existsSync(page))).toEqual([]);
    expect(describeStepsAfterwards()).toContain('  npm run demo');
  });

  test('read a topic after the end only in a cluster that stays', () => {
    expect(describeStepsAfterwards().join('\n')).not.toContain('tail media');
    expect(describeStepsAfterwards(demo.env).join('\n')).toContain(
      'npx node src/main.ts tail media --from-beginning --no-follow',
    );
  });
});
