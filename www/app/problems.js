/** problems.html is whole without this: the bar's token and the lens alone. */

import {furnish} from './page.js';

furnish();
