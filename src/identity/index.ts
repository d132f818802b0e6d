export { type CertificateOf, createCertificateOf, type ShownCertificate } from './certificate.ts';
export { type Client, clientIdForm, clientResource, isClient, readClient, readKeys } from './client.ts';
export { findClient, listClients } from './clients.sql.ts';
export { createIdentity, type Identity, type IdentityInput } from './identity.ts';
export { type IssuerSetting, readIssuers } from './issuer-file.ts';
export { type OAuthUrls, oauthUrls, securityPart } from './smart-configuration.ts';
export type { OAuthAnswer } from './token-endpoint.ts';
