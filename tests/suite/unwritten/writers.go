// Writers of Go, as in streams.c.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

var global *bufio.Writer

func file(name string) *os.File {
	f, err := os.Create(os.Args[1] + "/" + name)
	if err != nil {
		panic(err)
	}
	return f
}

func lines(w io.Writer, what string, count int) {
	for i := 0; i < count; i++ {
		fmt.Fprintf(w, "%s line %d of %d\n", what, i, count)
	}
}

func main() {
	whole := len(os.Args) > 2
	plain := bufio.NewWriter(file("plain"))
	lines(plain, "plain", 1000)
	flushed := bufio.NewWriter(file("flushed"))
	lines(flushed, "flushed", 100)
	flushed.Flush()
	large := bufio.NewWriterSize(file("large"), 1<<18)
	lines(large, "large", 3000)
	global = bufio.NewWriter(file("global"))
	lines(global, "global", 200)
	partial := bufio.NewWriter(file("partial"))
	lines(partial, "partial", 3)
	fmt.Fprint(partial, "a line that has not ended")
	other := bufio.NewWriter(file("goroutine"))
	go func() {
		lines(other, "goroutine", 150)
		if whole {
			other.Flush()
		}
		select {}
	}()
	time.Sleep(100 * time.Millisecond)
	if whole {
		for _, w := range []*bufio.Writer{plain, large, global, partial} {
			w.Flush()
		}
		return
	}
	syscall.Kill(syscall.Getpid(), syscall.SIGABRT)
	time.Sleep(time.Second)
	lines(plain, "never", 1)
	lines(large, "never", 1)
	lines(partial, "never", 1)
}
