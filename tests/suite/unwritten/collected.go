// Writers that were dropped and collected, whose memory others have by now; one that is kept, and one
// that was copied.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"runtime"
)

var keep [][]byte
var kept, original *bufio.Writer
var copied bufio.Writer
var nowhere *int

func file(name string) *os.File {
	f, err := os.Create(os.Args[1] + "/" + name)
	if err != nil {
		panic(err)
	}
	return f
}

//go:noinline
func drop(i int) {
	f := file("dropped")
	w := bufio.NewWriter(f)
	fmt.Fprintf(w, "dropped and not flushed %d ............\n", i)
	f.Close()
}

func main() {
	for i := 0; i < 200; i++ {
		drop(i)
	}
	kept = bufio.NewWriter(file("kept"))
	fmt.Fprintf(kept, "of one that is kept\n")
	original = bufio.NewWriter(file("copied"))
	copied = *original
	fmt.Fprintf(&copied, "of a copy\n")
	runtime.GC()
	runtime.GC()
	out := file("out")
	for i := 0; i < 400; i++ {
		b := make([]byte, 4096)
		copy(b, bytes.Repeat([]byte(fmt.Sprintf("written and reused %d\n", i)), 100))
		out.Write(b)
		keep = append(keep, b)
	}
	*nowhere = 3
}
