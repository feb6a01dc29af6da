import { backoffMs } from './backoff.ts';
import { slept } from './clock.ts';
import { messageOf } from './errors.ts';
import { type Job, type PollerTools, reportState } from './poller.ts';
import { Semaphore } from './rate-limit/semaphore.ts';
import { type Pause, type StreamState, isSamePause, pauseAt, stateKey } from './state.ts';

// States of a job's pause, in the memory of this instance:
// - saved: the state in the topic has the same pause.
// - unsaved: a control request has changed it. The change takes effect at once; `save` writes it as
//   soon as the running try of the job's poll has ended, unless a commit of that try has written it
//   before. A try that waits for quota ends at once (`onPause`).
// - orphaned: the job ended unsaved. The next job of the stream in this instance takes it over,
//   unless the restored state shows that another instance has changed the pause meanwhile.

/** The most pauses that are written at the same time, which bounds the memory of encoded states. */
const concurrentWrites = 8;

/** The signals of a save. */
export interface SaveSignals {
  /** Ends a write that is under way. */
  readonly write: AbortSignal;
  /** Ends the wait for the next write after a failed one. */
  readonly retry: AbortSignal;
}

type PauseTools = Pick<
  PollerTools,
  'clock' | 'publisher' | 'random' | 'retry' | 'settings' | 'telemetry'
>;

/** The changes of pauses by control requests, until they are in the state topic. */
export class Pauses {
  readonly #tools: PauseTools;
  readonly #writes = new Semaphore(concurrentWrites);
  /** By state key: an unsaved pause, and the saved one that it replaces. */
  readonly #unsaved = new Map<string, Readonly<Record<'pause' | 'replaced', Pause | null>>>();
  readonly #saving = new Map<Job, Promise<boolean>>();

  constructor(tools: PauseTools) {
    this.#tools = tools;
  }

  /**
   * Gives a new job the pause that its last one could not save; reports its pause, if any.
   * @returns true when the pause is to be saved
   */
  restore(job: Job): boolean {
    const key = keyOf(job);
    const unsaved = this.#unsaved.get(key);
    const isNewest = unsaved !== undefined && isSamePause(unsaved.replaced, job.state.pause);
    if (isNewest) job.pause = unsaved.pause;
    else this.#unsaved.delete(key);
    if (pauseAt(job.pause, this.#tools.clock.nowMs()) !== null) this.#report(job);
    return !isSaved(job);
  }

  /** Pauses a job until a time, or without an end; a second pause replaces the end of the first. */
  pause(job: Job, untilMs: number | null): void {
    const nowMs = this.#tools.clock.nowMs();
    this.#set(job, { sinceMs: pauseAt(job.pause, nowMs)?.sinceMs ?? nowMs, untilMs });
  }

  resume(job: Job): void {
    if (job.pause !== null) this.#set(job, null);
  }

  #set(job: Job, pause: Pause | null): void {
    this.#unsaved.set(keyOf(job), { pause, replaced: job.state.pause });
    job.pause = pause;
    job.onPause?.();
    this.#report(job);
  }

  #report(job: Job): void {
    const { stream, accountId } = job.state;
    const { telemetry } = this.#tools;
    telemetry.report({ type: 'paused', stream, accountId, pause: job.pause, saved: isSaved(job) });
  }

  /**
   * Writes a job's pause into the state topic, again after each failure. Never rejects.
   * @returns true when the topic has it; false when a signal ended the attempts
   */
  async save(job: Job, signals: SaveSignals): Promise<boolean> {
    const saving = this.#saving.get(job) ?? this.#saveUntilDone(job, signals);
    if (!isSaved(job)) this.#saving.set(job, saving);
    return await saving;
  }

  async #saveUntilDone(job: Job, { write, retry }: SaveSignals): Promise<boolean> {
    const { clock, random, telemetry } = this.#tools;
    const { stream, accountId } = job.state;
    for (let attempt = 1; !isSaved(job); attempt += 1) {
      try {
        await this.#write(job, write);
      } catch (error) {
        if (write.aborted || retry.aborted) break;
        const retryInMs = backoffMs(this.#tools.retry, attempt, random());
        const message = messageOf(error);
        telemetry.report({ type: 'pause-unsaved', stream, accountId, message, retryInMs });
        if (!(await slept(retryInMs, clock, retry))) break;
      }
    }
    // No await between the last check of the pause and this line, so that no change is missed.
    this.#saving.delete(job);
    if (!isSaved(job)) return false;
    if (this.#unsaved.delete(keyOf(job)))
      telemetry.report({ type: 'pause-saved', stream, accountId });
    return true;
  }

  /** Commits the state with the job's pause, and nothing else (Invariant 1), as its only writer. */
  async #write(job: Job, signal: AbortSignal): Promise<void> {
    const { clock, publisher, settings, telemetry } = this.#tools;
    const publish = async (): Promise<void> => {
      const state: StreamState = {
        ...job.state,
        sequence: job.state.sequence + 1,
        writtenAtMs: clock.nowMs(),
        writtenBy: settings.instance,
        pause: job.pause,
      };
      await publisher.publish({ account: job.account, records: [], state }, signal);
      job.state = state;
      reportState(state, telemetry);
    };
    // The commit of a poll may have saved the pause meanwhile.
    const publishUnsaved = () => (isSaved(job) ? Promise.resolve() : publish());
    await job.writer.take(() => this.#writes.take(publishUnsaved, signal), signal);
  }
}

function isSaved({ pause, state }: Job): boolean {
  return isSamePause(pause, state.pause);
}

function keyOf({ state: { stream, accountId } }: Job): string {
  return stateKey(stream, accountId);
}
