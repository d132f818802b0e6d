export { type Added, type AddOptions, addPackage, type Missing } from './add-package.ts';
export { createBaseLibrary } from './base-library.ts';
export { loadFolder } from './load-folder.ts';
export { type LoadedPackage, readPackages } from './packages.sql.ts';
export { type PackageFile, packageLimits, readPackage } from './read-package.ts';
export { baseSearchTerms, createWithTerms } from './search-terms.ts';
export { openShelf, type Shelf } from './shelf.ts';
export { type Conformance, createConformance } from './conformance.ts';
