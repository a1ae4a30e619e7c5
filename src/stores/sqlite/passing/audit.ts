import type {
  AppendEvents,
  AuditEvent,
  HistoryFacts,
  RecordParts,
  TrailPlace,
} from "../../../services/cloudtrail/store.ts";
import { type Form, readList, readOptional, writeList, writeOptional } from "./form.ts";

type Resource = HistoryFacts["resources"][number];

const resource: Form<Resource> = {
  write(to, { type, name }) {
    to.name(type);
    // There may be more keys in use than names are remembered.
    to.text(name);
  },
  read: (from) => ({ type: from.name(), name: from.text() }),
};

const history: Form<HistoryFacts> = {
  write(to, it) {
    to.text(it.eventId);
    to.name(it.eventName);
    to.name(it.eventSource);
    to.name(it.username);
    to.name(it.accessKeyId);
    to.byte(it.readOnly ? 1 : 0);
    writeList(to, resource, it.resources);
  },
  read: (from) => ({
    eventId: from.text(),
    eventName: from.name(),
    eventSource: from.name(),
    username: from.name(),
    accessKeyId: from.name(),
    readOnly: from.byte() === 1,
    resources: readList(from, resource),
  }),
};

const trail: Form<TrailPlace> = {
  write(to, { name, region }) {
    to.name(name);
    to.name(region);
  },
  read: (from) => ({ name: from.name(), region: from.name() }),
};

/** Parts that come again are names. */
const record: Form<RecordParts> = {
  write(to, parts) {
    to.size(parts.length);
    for (let index = 0; index < parts.length; index++) {
      const part = parts[index] ?? "";
      if (index % 2 === 0) to.name(part);
      else to.text(part);
    }
  },
  read(from) {
    const parts: string[] = new Array(from.size());
    for (let index = 0; index < parts.length; index++) {
      parts[index] = index % 2 === 0 ? from.name() : from.text();
    }
    return parts;
  },
};

const auditEvent: Form<AuditEvent> = {
  write(to, it) {
    to.name(it.accountId);
    to.name(it.region);
    to.number(it.timeMs);
    record.write(to, it.record);
    writeOptional(to, history, it.history);
    writeList(to, trail, it.trails);
  },
  read: (from) => ({
    accountId: from.name(),
    region: from.name(),
    timeMs: from.number(),
    record: record.read(from),
    history: readOptional(from, history),
    trails: readList(from, trail),
  }),
};

export const appendEvents: Form<AppendEvents> = {
  write: (to, { events }) => writeList(to, auditEvent, events),
  read: (from) => ({ kind: "audit.append", events: readList(from, auditEvent) }),
};
