package touchmark

import (
	"fmt"
	"strconv"
)

// SettingsError is what stops the start of a server: a setting is missing, or is not what it must be.
// Its text names the setting, says what to do, and shows no secret.
type SettingsError struct {
	Setting string
	Problem string
}

func (e *SettingsError) Error() string {
	return e.Setting + " " + e.Problem
}

func refuse(setting, format string, arguments ...any) *SettingsError {
	return &SettingsError{setting, fmt.Sprintf(format, arguments...)}
}

// shown is somebody's value in a message: escaped, and cut to a length.
func shown(value string) string {
	return clipped(strconv.QuoteToASCII(value), 60)
}

func clipped(text string, length int) string {
	if len(text) <= length {
		return text
	}
	return text[:length-3] + "..."
}
