// Lines that no file got, with what may not be shown, and a request in flight.
#include <stdio.h>

static volatile char *request =
    (char *)"GET /cart?token=hunter2-otter&sku=7 HTTP/1.1\r\nHost: shop.example\r\n"
            "traceparent: 00-7bf92f3577b34da6a3ce929d0e0e4799-00f067aa0ba902b7-01\r\n\r\n";

int main(int count, char **argument) {
    char path[4096];
    snprintf(path, sizeof path, "%s/log", argument[1]);
    FILE *log = fopen(path, "w");
    fprintf(log, "login of quentin.marsh@example.net password=hunter2-otter\n");
    fprintf(log, "card 4929804463622139 was charged\n");
    fprintf(log, "\033[31mred\033[0m line\n");
    volatile char *in_flight = request;
    if (count > 2) return fclose(log);
    *(volatile int *)0 = in_flight[0];
    return in_flight[1];
}
