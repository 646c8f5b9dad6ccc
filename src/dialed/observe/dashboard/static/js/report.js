// The report: the views of a study from data that stands in the file itself.

import { byId } from "./dom.js";
import "./theme.js";
import { showContour, showCurves, showHistory, showImportance, showParallel, showSlices, showTimeline, showTried } from "./views.js";

const views = JSON.parse(byId("data").textContent);

showHistory(views.history);
showCurves("live", views.curves);
showParallel(views.parallel, { ranges: {}, picked: [] });
showImportance(views.importance);
showSlices(views.slices);
showContour(views.contour);
showTried(views.tried);
showTimeline(views.timeline);
