/** Scheme, host and port of the API server; the configuration has to protect this host. */
export const API_BASE_URL = "https://localhost:5001";

/** The currencies that the API server has rates for. */
export const CURRENCIES = ["EUR", "GBP", "USD", "CHF", "JPY"] as const;
