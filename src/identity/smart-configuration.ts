/** What is told of authentication (https://hl7.org/fhir/smart-app-launch/conformance.html): the same in both places where clients look. */
export interface OAuthUrls {
  readonly issuer: string;
  readonly token: string;
  readonly introspect: string;
}

/** Beside the FHIR base, on the same server. */
export function oauthUrls(baseUrl: string): OAuthUrls {
  const root = baseUrl.replace(/\/fhir$/, '');
  return { issuer: root, token: `${root}/auth/token`, introspect: `${root}/auth/introspect` };
}

export interface Told {
  readonly algorithms: readonly string[];
  readonly takesCertificates: boolean;
}

export function smartConfiguration({ issuer, token, introspect }: OAuthUrls, told: Told): object {
  const methods = ['private_key_jwt', ...(told.takesCertificates ? ['tls_client_auth'] : [])];
  return {
    issuer,
    token_endpoint: token,
    introspection_endpoint: introspect,
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: told.algorithms,
    introspection_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_signing_alg_values_supported: told.algorithms,
    scopes_supported: ['system/*.rs', 'system/*.cruds', 'system/*.read', 'system/*.write', 'system/*.*'],
    response_types_supported: ['token'],
    code_challenge_methods_supported: ['S256'],
    ...(told.takesCertificates ? { tls_client_certificate_bound_access_tokens: true } : {}),
    capabilities: ['client-confidential-asymmetric', 'permission-v1', 'permission-v2'],
  };
}

/** CapabilityStatement.rest.security (https://hl7.org/fhir/smart-app-launch/conformance.html#declaring-support-for-oauth2-endpoints). */
export function securityPart({ token, introspect }: OAuthUrls): object {
  return {
    extension: [
      {
        url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
        extension: [
          { url: 'token', valueUri: token },
          { url: 'introspect', valueUri: introspect },
        ],
      },
    ],
    service: [
      {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR' }],
        text: 'OAuth 2.0 by SMART App Launch: see .well-known/smart-configuration',
      },
    ],
    description: 'Backend services are given tokens by client_credentials with private_key_jwt.',
  };
}
