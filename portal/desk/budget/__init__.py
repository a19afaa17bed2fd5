"""The budget desk: changes of lines, the forecast of the year, its end; and the caps of policy officers."""
