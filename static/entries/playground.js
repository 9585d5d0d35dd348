// All that the playground page does.

import "../js/pages/page.js"
import "../js/composer/compose.js"
import "../js/answer/answer.js"
import "../js/composer/branches.js"
import "../js/composer/compare.js"
import "../js/pages/workbench.js"
import "../js/log/log.js"
