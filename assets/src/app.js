import "htmx.org";
import "htmx-ext-sse";
