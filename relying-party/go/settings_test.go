package touchmark_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"touchmark"
)

const (
	secret  = "jIZD6mQmHUz8Y4SHBzY51RorQ7BzmWNa8Eci0UH+r8Q="
	another = "lDeDQRQ+AeV6mjNN7nG4cLNGtxAhoVLXUQZ97ROVqxY="
)

func with(pairs ...string) map[string]string {
	settings := map[string]string{"TOUCHMARK_SECRET": secret}
	for at := 0; at < len(pairs); at += 2 {
		settings[pairs[at]] = pairs[at+1]
	}
	return settings
}

func TestWhatCanBeNoSettingIsNamed(t *testing.T) {
	short := base64.StdEncoding.EncodeToString(make([]byte, 31))
	for _, c := range []struct{ name, value, says string }{
		{"TOUCHMARK_SECRET", "", "is empty"},
		{"TOUCHMARK_SECRET", secret + ",", "empty secret"},
		{"TOUCHMARK_SECRET", strings.TrimRight(secret, "="), "is not base64"},
		{"TOUCHMARK_SECRET", secret[:20] + "\n" + secret[20:], "is not base64"},
		{"TOUCHMARK_SECRET", strings.Replace(secret, "+", "-", 1), "is not base64"},
		{"TOUCHMARK_SECRET", short, "31 bytes"},
		{"TOUCHMARK_SECRET", ":" + secret, "kid"},
		{"TOUCHMARK_SECRET", "a/b:" + secret, "kid"},
		{"TOUCHMARK_SECRET", strings.Repeat("a", 65) + ":" + secret, "kid"},
		{"TOUCHMARK_DECOY_SECRET", secret, "one of the token secrets"},
		{"TOUCHMARK_DECOY_SECRET", another + "," + another, "has 2 secrets"},
		{"TOUCHMARK_DECOY_SECRET", "a:" + another, "another kid"},
		{"TOUCHMARK_JWKS", "http://example.com/jwks.json", "use https://"},
		{"TOUCHMARK_JWKS", "ftp://example.com/jwks.json", "use https://"},
		{"TOUCHMARK_JWKS", "https://", "no URL"},
		{"TOUCHMARK_JWKS", " ", "is empty"},
		{"TOUCHMARK_MODE", "Enforce", "use 'enforce', 'report' or 'off'"},
		{"TOUCHMARK_PERCENT", "101", "from 0 to 100"},
		{"TOUCHMARK_PERCENT", "-1", "from 0 to 100"},
		{"TOUCHMARK_PERCENT", "1.5", "from 0 to 100"},
		{"TOUCHMARK_PERCENT", "٣", "from 0 to 100"},
		{"TOUCHMARK_TOKEN_HEADER", "Token:", "cannot be the name of a header"},
		{"TOUCHMARK_TOKEN_PREFIX", "Bearer\n", "cannot stand in a header"},
		{"TOUCHMARK_TOKEN_PREFIX", "", "is empty"},
		{"TOUCHMARK_BINDING_HEADERS", "Authorization,", "cannot be the name of a header"},
		{"TOUCHMARK_BINDING_HEADERS", "X-Session,x-session", "twice"},
		{"TOUCHMARK_BINDING_HEADERS", "touchmark-token", "no token is bound to itself"},
		{"TOUCHMARK_AUDIENCE", "a\nb", "not printable"},
		{"TOUCHMARK_ISSUER", " ", "is empty"},
		{"TOUCHMARK_LEVEL", "TEE", "use 'software'"},
		{"TOUCHMARK_LEEWAY", "301", "from 0 to 300"},
		{"TOUCHMARK_LEEWAY", "-1", "from 0 to 300"},
		{"TOUCHMARK_LEEWAY", "NaN", "from 0 to 300"},
		{"TOUCHMARK_LEEWAY", "1_0", "from 0 to 300"},
		{"TOUCHMARK_SINGLE_USE", "yes", "use 'memory' or redis://"},
		{"TOUCHMARK_SINGLE_USE", "redis://", "use 'memory' or redis://"},
		{"TOUCHMARK_SINGLE_USE", "redis://cache:0", "use 'memory' or redis://"},
		{"TOUCHMARK_SINGLE_USE", "redis://cache/a", "use 'memory' or redis://"},
		{"TOUCHMARK_REPLAY_FAILURE", "opened", "use 'closed' or 'open'"},
		{"TOUCHMARK_APPROOV_SECRET", "!" + secret, "neither base64 nor base64url"},
		{"TOUCHMARK_APPROOV_SECRET", short, "31 bytes"},
		{"TOUCHMARK_APPROOV_BINDING_HEADERS", "Authorization", "TOUCHMARK_APPROOV_SECRET is not"},
		{"TOUCHMARK_FIREBASE_PROJECT", "my-project", "the project's number"},
		{"TOUCHMARK_FIREBASE_JWKS", "keys.json", "TOUCHMARK_FIREBASE_PROJECT is not"},
		{"TOUCHMARK_MOD", "report", "did you mean TOUCHMARK_MODE?"},
		{"touchmark-mode", "report", "did you mean TOUCHMARK_MODE?"},
		{"TOUCHMARK_PRECENT", "1", "did you mean TOUCHMARK_PERCENT?"},
		{"TUOCHMARK_SECRTE", "1", "did you mean TOUCHMARK_SECRET?"},
	} {
		_, err := touchmark.ReadSettings(with(c.name, c.value))
		if refused, ok := err.(*touchmark.SettingsError); !ok || refused.Setting != c.name || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s=%q: %v", c.name, c.value, err)
		} else if strings.Contains(err.Error(), secret[:12]) || strings.Contains(err.Error(), another[:12]) {
			t.Errorf("%s: shows a secret: %v", c.name, err)
		}
	}
}

func TestWhatIsASetting(t *testing.T) {
	for _, settings := range []map[string]string{
		with("HOME", "/root", "TOUCHMARK_TOKEN", "x", "TOUCHMARK_URL", ""),
		with("TOUCHMARK_SECRET", "a:"+secret+", b:"+another+"\n", "TOUCHMARK_DECOY_SECRET", "a:"+
			"aFGEvb8cgjWo1+G68I1AB30NRAfD2o5mw6JQugKE03o=,b:b3FaMETHGove/QXIYsyalwfe9jLN85sg8FdQww7rJcE="),
		with("TOUCHMARK_JWKS", "http://127.0.0.1:8080/jwks.json"),
		with("TOUCHMARK_JWKS", "http://[::1]/jwks.json"),
		with("TOUCHMARK_JWKS", "https://example.com/jwks.json"),
		with("TOUCHMARK_LEEWAY", "0.25"),
		with("TOUCHMARK_SINGLE_USE", "redis://cache.example:6380/3"),
		with("TOUCHMARK_SINGLE_USE", "redis://[::1]"),
		{"TOUCHMARK_MODE": "off"},
		{"TOUCHMARK_JWKS": "keys.json"},
	} {
		if _, err := touchmark.ReadSettings(settings); err != nil {
			t.Error(settings, err)
		}
	}
	for _, settings := range []map[string]string{{}, {"TOUCHMARK_MODE": "report"}} {
		if _, err := touchmark.ReadSettings(settings); err == nil || !strings.Contains(err.Error(), "TOUCHMARK_SECRET is not set") {
			t.Error(settings, err)
		}
	}
}

func TestAnUnknownNameIsWarnedOf(t *testing.T) {
	var log lines
	guardOf(t, with("TOUCHMARK_COLOUR", "red", "TOUCHMARK_TOKEN", "x", "PATH", "/bin"), touchmark.WithLog(log.add))
	if !strings.Contains(log.text(), `"TOUCHMARK_COLOUR" is not a setting`) || strings.Contains(log.text(), "PATH") ||
		strings.Contains(log.text(), `"TOUCHMARK_TOKEN"`) {
		t.Error(log.text())
	}
}
