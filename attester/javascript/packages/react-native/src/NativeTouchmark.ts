// Read by React Native's codegen, which knows no type of another file. The same as Bridge, which
// `index.ts` holds it to.
import type { TurboModule } from "react-native";
import { TurboModuleRegistry } from "react-native";

export type TokenResult = {
  status: number;
  token: string;
  headerName: string;
  headerValue: string;
  arc: string;
  message: string;
  configChanged: boolean;
  expiresIn: number;
};

export interface Spec extends TurboModule {
  open(config: string): Promise<void>;
  fetchToken(url: string, binding: string): Promise<TokenResult>;
  discardTokens(): Promise<void>;
  isProtected(host: string): Promise<boolean>;
  getDeviceId(): Promise<string>;
  getConfigVersion(): Promise<number>;
  getVersion(): Promise<string>;
}

const native: Spec | null = TurboModuleRegistry.get<Spec>("Touchmark");

export default native;
