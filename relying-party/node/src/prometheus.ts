/** The counter of the check, by npm's `prom-client`. */
import { Counter, type Registry, register as defaultRegister } from "prom-client";

import type { Guard } from "./guard.js";

const LABELS = ["maker", "status", "reason", "enforced", "route"] as const;
type Label = (typeof LABELS)[number];

/** Counts `touchmark_requests_total` of a guard in a registry. Several guards share one counter. */
export function countRequests(guard: Guard, registry: Registry = defaultRegister): Counter<Label> {
  const name = "touchmark_requests_total";
  const counter =
    (registry.getSingleMetric(name) as Counter<Label> | undefined) ??
    new Counter({
      name,
      help: "Requests whose token was checked",
      labelNames: LABELS,
      registers: [registry],
    });
  guard.observe(({ maker, status, reason, enforced, route }) => {
    counter.inc({ maker, status, reason, enforced: String(enforced), route });
  });
  return counter;
}
