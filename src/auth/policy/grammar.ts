/** What each kind of policy may and must hold. */
export type PolicyKind =
  | "identity"
  | "boundary"
  | "session"
  | "resource"
  | "key"
  | "trust"
  | "endpoint";

export interface Grammar {
  readonly principal: "required" | "forbidden";
  readonly notPrincipal: boolean;
  readonly federated: boolean;
  readonly action: "required" | "optional";
  readonly resource: "required" | "optional" | "forbidden";
  /** Resources must be ARNs or `*`; a key policy takes any text (what is not the key is idle). */
  readonly arnsOnly: boolean;
  /** Letters and digits only. */
  readonly plainSid: boolean;
  readonly uniqueSid: boolean;
  /** U+0009, U+000A, U+000D and U+0020–U+00FF only. */
  readonly latinOnly: boolean;
}

const identity: Grammar = {
  principal: "forbidden",
  notPrincipal: false,
  federated: false,
  action: "required",
  resource: "required",
  arnsOnly: true,
  plainSid: true,
  uniqueSid: true,
  latinOnly: true,
};

const resource: Grammar = {
  ...identity,
  principal: "required",
  notPrincipal: true,
  plainSid: false,
  latinOnly: false,
};

/** AWS: the policy grammar, with the differences of each place that a policy is attached to. */
export const grammars: Readonly<Record<PolicyKind, Grammar>> = {
  identity,
  boundary: identity,
  session: identity,
  resource,
  // AWS: a key policy statement without Action or Resource is accepted and has no effect.
  // AWS?: whether Sids of a key policy must be unique; accepting a repetition harms nobody.
  key: {
    ...resource,
    action: "optional",
    resource: "optional",
    arnsOnly: false,
    uniqueSid: false,
    latinOnly: true,
  },
  trust: {
    ...resource,
    notPrincipal: false,
    federated: true,
    resource: "forbidden",
    plainSid: true,
    latinOnly: true,
  },
  endpoint: resource,
};
