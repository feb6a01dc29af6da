import { spawn } from 'node:child_process';

/** The environment of the demo. */
export interface Surroundings {
  readonly platform: NodeJS.Platform;
  readonly env: NodeJS.ProcessEnv;
  /** True when standard output is a terminal. */
  readonly isTerminal: boolean;
}

/** True when a browser would open on the screen of the person who started the demo. */
export function hasScreen({ platform, env, isTerminal }: Surroundings): boolean {
  const isSet = (name: string): boolean => (env[name] ?? '') !== '';
  if (!isTerminal || ['CI', 'SSH_CONNECTION', 'SSH_TTY'].some(isSet)) return false;
  return ['darwin', 'win32'].includes(platform) || ['DISPLAY', 'WAYLAND_DISPLAY'].some(isSet);
}

/** Opens an address in the browser. A failure is ignored, because the address is printed as well. */
export function openBrowser(url: string, platform: NodeJS.Platform): void {
  const commands: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
    darwin: ['open'],
    win32: ['rundll32', 'url.dll,FileProtocolHandler'],
  };
  const [command, ...args] = commands[platform] ?? ['xdg-open'];
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}
