/**
 * The one table of what is served below the FHIR base (https://hl7.org/fhir/R4/http.html). What is not in it is 404 or 405;
 * operations (`$name`) are found beside it, by name, type and level. Metadata and OpenAPI are made from it.
 */
import {
  type Answer,
  capabilities,
  type Context,
  create,
  createBinary,
  historyInstance,
  historySystem,
  historyType,
  type Operation,
  patch,
  patchByCriteria,
  read,
  readBinary,
  remove,
  removeByCriteria,
  type Request,
  type Route,
  search,
  searchCompartment,
  searchSystem,
  update,
  updateByCriteria,
  vread,
} from '../interactions/index.ts';

export interface RoutesInput {
  readonly operations: readonly Operation[];
  /** batch and transaction, which lead their entries by this table. */
  readonly processBundle: (context: Context, request: Request) => Promise<Answer>;
}

const rows: readonly Route[] = [
  {
    code: 'search-type',
    method: 'GET',
    path: '/:type',
    content: 'none',
    summary: 'Searches the resources of a type.',
    run: search,
  },
  {
    code: 'search-type',
    method: 'POST',
    path: '/:type/_search',
    content: 'form',
    summary: 'Searches the resources of a type, with parameters in a form.',
    run: search,
  },
  {
    code: 'search-system',
    method: 'GET',
    path: '',
    content: 'none',
    summary: 'Searches the types that _type names.',
    run: searchSystem,
  },
  {
    code: 'search-system',
    method: 'POST',
    path: '/_search',
    content: 'form',
    summary: 'Searches the types that _type names, with parameters in a form.',
    run: searchSystem,
  },
  {
    code: 'search-type',
    method: 'GET',
    path: '/:type/:id/:part',
    content: 'none',
    summary: 'Searches the resources of a type in the compartment of a patient.',
    run: searchCompartment,
  },
  {
    code: 'search-type',
    method: 'POST',
    path: '/:type/:id/:part/_search',
    content: 'form',
    summary: 'Searches the resources of a type in the compartment of a patient, with parameters in a form.',
    run: searchCompartment,
  },
  {
    code: 'create',
    method: 'POST',
    path: '/:type',
    content: 'resource',
    summary: 'Creates a resource; with If-None-Exist only when nothing matches the criteria.',
    run: (context, request) => (request.content === undefined ? create : createBinary)(context, request),
  },
  {
    code: 'read',
    method: 'GET',
    path: '/:type/:id',
    content: 'none',
    summary: 'Reads the current version of a resource.',
    run: (context, request) => (request.type === 'Binary' ? readBinary : read)(context, request),
  },
  {
    code: 'update',
    method: 'PUT',
    path: '/:type/:id',
    content: 'resource',
    summary: 'Writes a new version of a resource, or creates it under this id.',
    run: update,
  },
  {
    code: 'patch',
    method: 'PATCH',
    path: '/:type/:id',
    content: 'patch',
    summary: 'Changes a resource by a JSON Patch or a FHIRPath Patch.',
    run: patch,
  },
  {
    code: 'update',
    method: 'PUT',
    path: '/:type',
    isConditional: true,
    content: 'resource',
    summary: 'Updates the one resource that the criteria find, or creates it.',
    run: updateByCriteria,
  },
  {
    code: 'patch',
    method: 'PATCH',
    path: '/:type',
    isConditional: true,
    content: 'patch',
    summary: 'Patches the one resource that the criteria find.',
    run: patchByCriteria,
  },
  {
    code: 'delete',
    method: 'DELETE',
    path: '/:type',
    isConditional: true,
    content: 'none',
    summary: 'Deletes the resources that the criteria find: one, or several where the server is set so.',
    run: removeByCriteria,
  },
  {
    code: 'delete',
    method: 'DELETE',
    path: '/:type/:id',
    content: 'none',
    summary: 'Deletes a resource; its history stays.',
    run: remove,
  },
  {
    code: 'history-instance',
    method: 'GET',
    path: '/:type/:id/_history',
    content: 'none',
    summary: 'The versions of a resource, newest first.',
    run: historyInstance,
  },
  {
    code: 'history-type',
    method: 'GET',
    path: '/:type/_history',
    content: 'none',
    summary: 'The versions of all resources of a type, newest first.',
    run: historyType,
  },
  {
    code: 'history-system',
    method: 'GET',
    path: '/_history',
    content: 'none',
    summary: 'The versions of all resources, newest first.',
    run: historySystem,
  },
  {
    code: 'vread',
    method: 'GET',
    path: '/:type/:id/_history/:versionId',
    content: 'none',
    summary: 'Reads one version of a resource.',
    run: vread,
  },
];

export function createRoutes({ operations, processBundle }: RoutesInput): readonly Route[] {
  const routes: readonly Route[] = [
    {
      code: 'capabilities',
      method: 'GET',
      path: '/metadata',
      content: 'none',
      summary: 'What this server can do.',
      run: (context) => capabilities(context, { routes, operations }),
    },
    {
      code: 'transaction',
      method: 'POST',
      path: '',
      content: 'resource',
      summary: 'Carries out a Bundle of type batch or transaction.',
      run: processBundle,
    },
    ...rows,
  ];
  return routes;
}
