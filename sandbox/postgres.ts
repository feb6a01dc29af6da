/**
 * `npm run example:postgres`: runs the program in the sandbox, with Kafka Connect into a PostgreSQL
 * of its own, and prints the tables and the answers of the views.
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { waitUntil } from './cluster/readiness.ts';
import { STREAMS } from './demo/summary.ts';
import { demoWorld } from './demo/world.ts';
import { type ConnectWorker, startConnect } from './postgres/connect.ts';
import { type Database, findPostgres, startDatabase } from './postgres/database.ts';
import { startProgram } from './program.ts';
import { startSandbox } from './sandbox.ts';
import { runMain, stopSignal } from './stop.ts';

const INTERVAL = '10s';
const ROWS_TIMEOUT_MS = 180_000;

const questions = {
  'Followers by day': 'SELECT * FROM followers_by_day ORDER BY day DESC, 1 LIMIT 5',
  'The first 48 hours of a post':
    'SELECT id, age, views, reach, total_interactions FROM first_48_hours ORDER BY posted_at DESC, age LIMIT 5',
  'Best posting hour': 'SELECT * FROM best_posting_hour ORDER BY rank, 1 LIMIT 5',
  'Final numbers of stories': 'SELECT * FROM story_finals ORDER BY posted_at DESC LIMIT 5',
  'Story exits': 'SELECT * FROM story_exits ORDER BY exits_per_100_views DESC NULLS LAST LIMIT 5',
};

const commandLine = {
  usage: 'usage: npm run example:postgres',
  parse: (args: readonly string[]) => {
    const options = { help: { type: 'boolean', short: 'h', default: false } } as const;
    return parseArgs({ args: [...args], options }).values;
  },
};

await runMain(commandLine, async () => {
  const signal = stopSignal();
  const log = (line: string): void => {
    console.error(line);
  };
  // A missing PostgreSQL is reported before anything else starts.
  await findPostgres(process.env);
  const world = await demoWorld({ speed: 1 });
  try {
    await using sandbox = await startSandbox({ world, login: 'facebook', log, signal });
    log('starting PostgreSQL');
    await using database = await startDatabase(process.env, signal);
    const intervals = STREAMS.map((name) => [`STREAM_${name.toUpperCase()}_INTERVAL`, INTERVAL]);
    await using program = startProgram({
      command: 'run',
      env: {
        ...sandbox.env,
        ...(Object.fromEntries(intervals) as Record<string, string>),
        KAFKA_TOMBSTONES: 'true',
        HTTP_PORT: '0',
      },
    });
    log('starting Kafka Connect; Maven downloads it once (65 MB)');
    const { cluster } = sandbox;
    await using connect = await startConnect({ cluster, database, env: process.env, signal });
    await waitForRows(database, connect, signal);
    await showAnswers(database);
    const stopped = once(signal, 'abort').then(() => 0);
    return await Promise.race([stopped, program.ended.then((code) => code ?? 1)]);
  } catch (error) {
    if (signal.aborted) return 0;
    throw error;
  }
});

/** Waits until every default stream has a row in its table. */
async function waitForRows(
  database: Database,
  connect: ConnectWorker,
  signal: AbortSignal,
): Promise<void> {
  const hasRows = STREAMS.map((table) => `EXISTS (SELECT FROM ${table})`).join(' AND ');
  const probe = async (): Promise<boolean> => {
    await connect.verify();
    const [row] = await database.query<{ filled: boolean }>(`SELECT ${hasRows} AS filled`);
    return row?.filled === true;
  };
  await waitUntil(probe, { subject: 'a row in every table', timeoutMs: ROWS_TIMEOUT_MS, signal });
}

async function showAnswers(database: Database): Promise<void> {
  const counts = STREAMS.map(
    (table) => `SELECT '${table}' AS table, count(*) AS rows FROM ${table}`,
  );
  console.log(await database.show(counts.join(' UNION ALL ')));
  for (const [question, sql] of Object.entries(questions)) {
    console.log(`${question}: ${sql}\n${await database.show(sql)}`);
  }
  const settings = Object.entries(database.env).map(([name, value]) => `${name}=${value}`);
  console.log(`The database, until Ctrl-C:\n${settings.join(' ')} psql`);
}
