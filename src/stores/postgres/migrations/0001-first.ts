import { auditTables } from "./audit-tables.ts";
import type { Migration } from "./index.ts";
import { queueTables } from "./queue-tables.ts";
import { topicTables } from "./topic-tables.ts";

/** Texts that are compared or listed in order are ordered by their bytes, as everywhere else. */
const configuration = `
CREATE TABLE meta (
  name text COLLATE "C" PRIMARY KEY,
  value bytea NOT NULL
);
CREATE TABLE account_versions (
  account_id text COLLATE "C" PRIMARY KEY,
  version int8 NOT NULL
);
CREATE TABLE records (
  account_id text COLLATE "C" NOT NULL,
  region text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  version int8 NOT NULL,
  content text NOT NULL,
  mac bytea NOT NULL,
  PRIMARY KEY (account_id, region, kind, id)
);
CREATE TABLE leases (
  name text COLLATE "C" PRIMARY KEY,
  holder text NOT NULL,
  until_ms int8 NOT NULL
);
CREATE TABLE data_keys (
  account_id text COLLATE "C" NOT NULL,
  region text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  sealing_arn text NOT NULL,
  mode text NOT NULL,
  key_arn text NOT NULL,
  blob bytea NOT NULL,
  created_ms int8 NOT NULL,
  PRIMARY KEY (account_id, region, id)
);
CREATE INDEX data_keys_by_age ON data_keys (created_ms);
`;

export const first: Migration = {
  number: 1,
  name: "first",
  breaking: true,
  sql: configuration + queueTables + topicTables + auditTables,
};
