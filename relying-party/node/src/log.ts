/** Where the check says what an operator should know: `console`, pino, winston, a framework's logger. */
export interface Log {
  info(line: string): void;
  warn(line: string): void;
}
