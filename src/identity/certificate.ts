/** A certificate that a client has shown, natively or by way of a proxy that we trust. */
export interface ShownCertificate {
  /** SHA-256 of its DER, base64url (x5t#S256). */
  readonly thumbprint: string;
  /** As RFC 4514 writes it, most specific name first: `CN=..,OU=..,O=..,C=FR`. */
  readonly subject: string;
  /** FINESS of the organisation that IGC-Santé gave it to, where its subject says so. */
  readonly finess: string | undefined;
}
