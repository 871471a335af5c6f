import {
  type Fetch,
  TokenFetchStatus,
  type Touchmark,
  TouchmarkError,
  createFetch,
} from "@touchmark/react-native";

export interface ConversionResult {
  /** Of HTTP; 0 where there was no answer. */
  status: number;
  text: string;
}

/** The client of the currency API. Everything that Touchmark asks of an app's code is here. */
export class CurrencyApi {
  private readonly fetchWithToken: Fetch;

  /** @param baseUrl scheme, host and port, such as "https://localhost:5001" */
  constructor(
    private readonly touchmark: Touchmark,
    private readonly baseUrl: string,
  ) {
    this.fetchWithToken = createFetch(touchmark);
  }

  /**
   * Converts an amount. Never rejects: every outcome is a result.
   *
   * @param apiVersion 1 for the API without protection, 2 for the one that wants a Touchmark token
   * @param value the amount as typed, such as "10.50"
   */
  async convert(
    apiVersion: 1 | 2,
    value: string,
    from: string,
    to: string,
  ): Promise<ConversionResult> {
    const [amount, source, target] = [value, from, to].map(encodeURIComponent);
    const path = `/currency/convert/${amount}/from/${source}/to/${target}`;
    try {
      // The native part holds both to the pins.
      const answer =
        apiVersion === 1
          ? await fetch(this.baseUrl + path)
          : await this.fetchWithToken(`${this.baseUrl}/v2${path}`);
      return await this.read(answer);
    } catch (failure) {
      return { status: 0, text: textOf(failure) };
    }
  }

  private async read(answer: Response): Promise<ConversionResult> {
    const { status } = answer;
    if (status === 401) {
      // Whatever the cause, the same token would be refused again: the next request attests again.
      await this.touchmark.discardTokens();
      return { status, text: "401: the API refused this app" };
    }
    const body = await membersOf(answer);
    if (status !== 200) {
      return { status, text: `${status}: ${body["error"] ?? "the API could not convert this"}` };
    }
    const converted = body["converted_value"];
    if (converted === undefined) throw new Error("the API's answer is not a conversion");
    return { status, text: converted };
  }
}

/** The answer's members that are texts; none where it is no JSON, as of a proxy before the API. */
async function membersOf(answer: Response): Promise<{ [name: string]: string | undefined }> {
  let found: unknown;
  try {
    found = await answer.json();
  } catch {
    return {};
  }
  if (typeof found !== "object" || found === null) return {};
  return Object.fromEntries(
    Object.entries(found).filter((member): member is [string, string] => {
      return typeof member[1] === "string";
    }),
  );
}

function textOf(failure: unknown): string {
  if (failure instanceof TouchmarkError) return `no token: ${TokenFetchStatus[failure.status]}`;
  return failure instanceof Error ? failure.message : String(failure);
}
