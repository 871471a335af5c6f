import { openTouchmark, TouchmarkProvider, useTouchmark } from "@touchmark/react-native";
import { useMemo, useState } from "react";
import { Pressable, ScrollView, StyleSheet, Text, TextInput, View } from "react-native";

import { API_BASE_URL, CURRENCIES } from "./config";
import { CurrencyApi } from "./CurrencyApi";

export function App() {
  return (
    <TouchmarkProvider open={openTouchmark}>
      <Converter />
    </TouchmarkProvider>
  );
}

/** The one screen: an amount, two currencies, and what the API makes of them. */
function Converter() {
  const { touchmark, error } = useTouchmark();
  const api = useMemo(() => touchmark && new CurrencyApi(touchmark, API_BASE_URL), [touchmark]);
  const [value, setValue] = useState("1");
  const [from, setFrom] = useState<string>(CURRENCIES[0]);
  const [to, setTo] = useState<string>(CURRENCIES[1]);
  const [apiVersion, setApiVersion] = useState<1 | 2>(2);
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState({ text: "", succeeded: true });
  const ready = api !== null && !busy;

  const convert = async () => {
    if (api === null) return;
    setBusy(true);
    setResult({ text: "Converting…", succeeded: true });
    const conversion = await api.convert(apiVersion, value, from, to);
    setResult({ text: conversion.text, succeeded: conversion.status === 200 });
    setBusy(false);
  };

  return (
    <ScrollView contentContainerStyle={styles.screen} keyboardShouldPersistTaps="handled">
      <Text style={styles.label}>Amount</Text>
      <TextInput
        testID="value"
        style={styles.input}
        value={value}
        onChangeText={setValue}
        keyboardType="decimal-pad"
        maxLength={15}
      />
      <Text style={styles.label}>From</Text>
      <Choice name="from" options={CURRENCIES} chosen={from} onChoose={setFrom} />
      <Text style={styles.label}>To</Text>
      <Choice name="to" options={CURRENCIES} chosen={to} onChoose={setTo} />
      <Text style={styles.label}>API version</Text>
      <Choice
        name="api"
        options={["V1, not protected", "V2, protected by Touchmark"]}
        chosen={apiVersion === 1 ? "V1, not protected" : "V2, protected by Touchmark"}
        onChoose={(option) => setApiVersion(option.startsWith("V1") ? 1 : 2)}
      />
      <Pressable
        testID="convert"
        accessibilityRole="button"
        disabled={!ready}
        onPress={convert}
        style={[styles.button, ready ? null : styles.disabled]}
      >
        <Text style={styles.buttonText}>Convert</Text>
      </Pressable>
      <Text testID="result" style={result.succeeded && !error ? styles.result : styles.error}>
        {error ? `Touchmark could not start: ${error.message}` : result.text}
      </Text>
    </ScrollView>
  );
}

interface ChoiceProps {
  name: string;
  options: readonly string[];
  chosen: string;
  onChoose: (option: string) => void;
}

function Choice({ name, options, chosen, onChoose }: ChoiceProps) {
  return (
    <View style={styles.choice}>
      {options.map((option) => (
        <Pressable
          key={option}
          testID={`${name}-${option}`}
          accessibilityRole="radio"
          accessibilityState={{ checked: option === chosen }}
          onPress={() => onChoose(option)}
          style={[styles.option, option === chosen ? styles.chosen : null]}
        >
          <Text>{option}</Text>
        </Pressable>
      ))}
    </View>
  );
}

const styles = StyleSheet.create({
  screen: { padding: 24 },
  label: { marginTop: 16, color: "#5f6368", fontSize: 13 },
  input: { borderBottomWidth: 1, borderColor: "#1f4e79", fontSize: 18, paddingVertical: 8 },
  choice: { flexDirection: "row", flexWrap: "wrap" },
  option: { borderWidth: 1, borderColor: "#5f6368", borderRadius: 4, margin: 4, padding: 8 },
  chosen: { borderColor: "#1f4e79", backgroundColor: "#d6e4f0" },
  button: { backgroundColor: "#1f4e79", borderRadius: 4, marginTop: 24, padding: 12 },
  disabled: { opacity: 0.5 },
  buttonText: { color: "#ffffff", textAlign: "center" },
  result: { color: "#1b5e20", fontSize: 24, marginTop: 24 },
  error: { color: "#b71c1c", fontSize: 18, marginTop: 24 },
});
