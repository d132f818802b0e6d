export { clientsUsage, runClients } from './clients.ts';
export { type AppInput, startOwnPostgres } from './ground.ts';
export { type App, startApp } from './start.ts';
