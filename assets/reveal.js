// Somebody in plaintext, for a minute: then the page masks itself, as loading it again would.
import { watchOver } from "./desk/expiry.js";

watchOver(document.getElementById("main"));
