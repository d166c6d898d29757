package pattern

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrInvalid says that a text is no pattern.
var ErrInvalid = errors.New("pattern: invalid filter pattern")

// invalidError is an ErrInvalid with what is wrong, in AWS's words.
type invalidError struct {
	reason string
	place  string // in the text, in the words of AWS's parser; it may be ""
	syntax bool   // it isn't JSON
}

func (e *invalidError) Error() string { return ErrInvalid.Error() + ": " + e.reason }

// Is implements what errors.Is asks for.
func (*invalidError) Is(target error) bool { return target == ErrInvalid }

// Reason is what is wrong with a pattern, by Compile's or CompileRule's error, in AWS's words:
// those of its matcher, without the place in the text.
func Reason(err error) string {
	if e, ok := errors.AsType[*invalidError](err); ok && !e.syntax {
		return e.reason
	}
	return "failed to parse JSON."
}

// Explain is Reason with the place in the text, as EventBridge says it.
func Explain(err error) string {
	if e, ok := errors.AsType[*invalidError](err); ok {
		return e.reason + e.place
	}
	return err.Error()
}

// maxSource is how much of a text AWS's parser shows.
const maxSource = 500

// source is a text as AWS's parser shows it.
func source(text string) string {
	if runes := []rune(text); len(runes) > maxSource {
		return fmt.Sprintf("[Source: (String)\"%s\"[truncated %d chars]", string(runes[:maxSource]), len(runes)-maxSource)
	}
	return fmt.Sprintf("[Source: (String)\"%s\"", text)
}

// location names a place in a text by its offset.
func location(text string, at int) string {
	at = min(at, len(text))
	before := text[:at]
	line := strings.Count(before, "\n")
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return fmt.Sprintf("%s; line: %d, column: %d]", source(text), line+1, column+1)
}
