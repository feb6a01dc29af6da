import type { DeadLetterError } from '../../core/errors.ts';
import type { Node } from '../../core/json.ts';
import { metricValues } from '../../core/metric-values.ts';
import type { Listed } from '../../core/refusals.ts';
import type { MetricGroup } from '../../core/stream.ts';
import type { ExtractContext } from '../extraction.ts';
import { answerOf } from './entries.ts';

/** Metrics by media id. */
export type Answers = Map<string, Node>;

/** One request for a group of metrics of some media. @throws as `Graph.get` */
export function askIds(
  open: readonly Listed[],
  group: MetricGroup,
  { graph, account, signal }: ExtractContext,
): Promise<Node> {
  const breakdown = group.breakdown === undefined ? '' : `.breakdown(${group.breakdown})`;
  return graph.get(
    {
      endpoint: '/?ids',
      path: '/',
      query: {
        ids: open.map(({ id }) => id).join(','),
        fields: `insights.metric(${group.metrics.join(',')})${breakdown}`,
      },
      accountId: account.id,
    },
    signal,
  );
}

/** What was answered of each. @throws DeadLetterError where one that was asked is lacking */
export function answersOf(
  open: readonly Listed[],
  body: Node,
  rejected: DeadLetterError[],
): Answers {
  return new Map(
    open.map(({ id }) => {
      const answer = answerOf(id, body);
      // A media without any insight comes as its id alone.
      const insights = answer['insights'];
      return [id, insights === undefined ? {} : metricValues(insights, answer, rejected)] as const;
    }),
  );
}
