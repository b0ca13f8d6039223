// The one program of the test image that has no shell. Its arguments are words done in order:
//
//	print TEXT          a line to standard output
//	lines N             N lines, "line 1" to "line N"
//	write PATH TEXT     a file, e.g. a result
//	sleep SECONDS       may have a fraction
//	exit N              the exit code; without it 0
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"time"
)

func main() {
	words := os.Args[1:]
	next := func(what string) string {
		if len(words) == 0 {
			fail("expected %s after the last word", what)
		}
		word := words[0]
		words = words[1:]
		return word
	}
	for len(words) > 0 {
		switch word := next("a word"); word {
		case "print":
			fmt.Println(next("TEXT"))
		case "lines":
			count, out := int(number(next("N"))), bufio.NewWriter(os.Stdout)
			for i := 1; i <= count; i++ {
				fmt.Fprintf(out, "line %d\n", i)
			}
			out.Flush()
		case "write":
			path := next("PATH")
			if err := os.WriteFile(path, []byte(next("TEXT")), 0o644); err != nil {
				fail("%v", err)
			}
		case "sleep":
			time.Sleep(time.Duration(number(next("SECONDS")) * float64(time.Second)))
		case "exit":
			os.Exit(int(number(next("N"))))
		default:
			fail("unknown word %q: print, lines, write, sleep, exit", word)
		}
	}
}

func number(text string) float64 {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		fail("%q is not a number", text)
	}
	return n
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "no-shell: "+format+"\n", args...)
	os.Exit(2)
}
