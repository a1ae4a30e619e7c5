/** Settings of the seals, as `config.ts` takes them. Secrets come by environment or file only. */
export const sealFlags = {
  seal: {
    kind: "text",
    value: "SEAL",
    default: "file",
    choices: ["file", "passphrase", "env", "pkcs11", "aws-kms"],
    description: "where the root key comes from",
  },
  sealFile: {
    kind: "text",
    value: "PATH",
    description: "file with the root key (default DIR/root.key)",
  },
  sealPassphraseFile: {
    kind: "text",
    value: "PATH",
    description: "file with the passphrase of the seal (else SEALPOST_SEAL_PASSPHRASE)",
  },
  sealPkcs11Module: {
    kind: "text",
    value: "PATH",
    description: "library of the PKCS #11 token that holds the seal's key",
  },
  sealPkcs11Token: { kind: "text", value: "LABEL", description: "label of that token" },
  sealPkcs11Key: {
    kind: "text",
    value: "LABEL",
    default: "sealpost-root",
    description: "label of the AES key in the token; made at first use",
  },
  sealPkcs11Env: {
    kind: "list",
    value: "NAME=VALUE",
    check: (text: string): void => {
      if (!/^[A-Za-z_][A-Za-z0-9_]*=/.test(text)) throw new Error("must be NAME=VALUE");
    },
    description: "environment of that library (repeatable): SOFTHSM2_CONF=/etc/softhsm2.conf",
  },
  sealPinFile: {
    kind: "text",
    value: "PATH",
    description: "file with the PIN of the token (else SEALPOST_SEAL_PIN)",
  },
  sealKmsKey: {
    kind: "text",
    value: "ID",
    description: "key of another KMS (id, ARN or alias) that seals the root key",
  },
  sealKmsEndpoint: {
    kind: "text",
    value: "URL",
    description: "address of that KMS (default that of AWS in the region)",
  },
  sealKmsRegion: { kind: "text", value: "REGION", description: "region of that KMS" },
  sealKmsCa: {
    kind: "text",
    value: "PATH",
    description: "certificate of the CA behind that KMS (PEM; default those of the system)",
  },
} as const;

/** Settings that are paths. */
export const sealPaths = [
  "sealPassphraseFile",
  "sealPkcs11Module",
  "sealPinFile",
  "sealKmsCa",
] as const;

/** Environment names of secrets. They are never settings, and leave the environment once read. */
export const sealSecretNames = {
  passphrase: "SEALPOST_SEAL_PASSPHRASE",
  rootKey: "SEALPOST_ROOT_KEY",
  pin: "SEALPOST_SEAL_PIN",
  accessKeyId: "SEALPOST_SEAL_AWS_ACCESS_KEY_ID",
  secretAccessKey: "SEALPOST_SEAL_AWS_SECRET_ACCESS_KEY",
  sessionToken: "SEALPOST_SEAL_AWS_SESSION_TOKEN",
} as const;

/** Never logged: what opens a seal. */
export type SealSecrets = { readonly [K in keyof typeof sealSecretNames]?: string };
