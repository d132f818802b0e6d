export { type AppInput, startOwnPostgres } from './ground.ts';
export { type App, startApp } from './start.ts';
