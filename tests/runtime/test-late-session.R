# More of how a late session is like a plain one: what packages do in it, and what R tests.

test("other packages", {
    expect_same({
        packages <- c("jsonlite", "tools", "stats4", "splines", "parallel", "compiler", "grid")
        for (package in packages) library(package, character.only = TRUE)
        search()
        toJSON(head(iris, 2))
        toTitleCase("a title")
        mle(function(a = 1) (a - 2)^2, method = "BFGS")
        summary(lm(dist ~ bs(speed, df = 5), cars))
        unlist(mclapply(1:2, function(i) i + 1))
        unit(1, "npc") + unit(2, "cm")
    })
})

test("S4", {
    expect_same({
        setClass("P", representation(name = "character", age = "numeric"))
        p <- new("P", name = "a", age = 1)
        p
        isVirtualClass("P")
        setGeneric("area", function(shape) standardGeneric("area"))
        setMethod("area", "P", function(shape) shape@age)
        area(p)
        setMethod("show", "P", function(object) cat("<P>\n"))
        p
        list(p)
        setMethod("summary", "P", function(object, ...) cat("summary of P\n"))
        summary(p)
        setMethod("+", signature("P", "P"), function(e1, e2) "sum")
        p + p
        setMethod("cbind2", signature("P", "missing"), function(x, y, ...) "bound")
        cbind(p)
        try(new("P", other = 1))
        Account <- setRefClass("Account", fields = list(balance = "numeric"),
            methods = list(deposit = function(x) balance <<- balance + x))
        a <- Account$new(balance = 1)
        a$deposit(2)
        a
        is(1, "numeric")
        existsMethod("area", "P")
        showMethods("area")
    })
})

test("models, and what they print", {
    expect_same({
        y ~ x + z
        fit <- lm(mpg ~ wt + factor(cyl), mtcars)
        fit
        summary(fit)
        anova(fit)
        predict(fit, mtcars[1:2, ])
        summary(glm(am ~ wt, binomial, mtcars))
        nls(mpg ~ a + b * wt, mtcars, start = list(a = 40, b = -5))
        aggregate(len ~ ., ToothGrowth, mean)
        t.test(extra ~ group, sleep)
        TukeyHSD(aov(breaks ~ tension, warpbreaks))
        AirPassengers
        arima(lh, order = c(1, 0, 0))
        hclust(dist(USArrests[1:5, ]))
        prcomp(USArrests, scale. = TRUE)
        xtabs(~cyl + gear, mtcars)
        summary(iris)
        quantile(rivers)
        str(airquality)
    })
})

test("random numbers", {
    expect_same({
        set.seed(42)
        sample(10)
        rnorm(3)
        runif(2)
        RNGkind()
        set.seed(1, kind = "Wichmann-Hill")
        rexp(2)
        identical(.Random.seed[1], get(".Random.seed", globalenv())[1])
    })
})

test("plots", {
    expect_same({
        pdf("plots.pdf", compress = FALSE)
        plot(cars)
        hist(rivers)
        boxplot(len ~ dose, ToothGrowth)
        plot(density(rivers))
        biplot(prcomp(USArrests))
        dev.cur()
        dev.off()
        lines <- readLines("plots.pdf", warn = FALSE)
        length(lines)
        lines <- grep("Date", lines, value = TRUE, invert = TRUE, useBytes = TRUE)
        sum(as.integer(charToRaw(paste(lines, collapse = ""))))
    })
})

# Snippets after R's own regression tests.
test("what R tests itself with", {
    expect_same({
        x <- factor(c("a", "b", NA, "a"), exclude = NULL)
        summary(x)
        z <- ts(matrix(1:6, 3, 2, dimnames = list(NULL, c("a", "b"))), c(1961, 1), frequency = 12)
        z
        window(z, end = c(1961, 2))
        str(z)
        m <- model.matrix(~ a, data.frame(a = gl(2, 2)))
        m
        d <- data.frame(x = 1:4, g = gl(2, 2))
        by(d, d$g, function(x) mean(x$x))
        merge(d, data.frame(g = gl(2, 1), w = 3:4))
        wide <- data.frame(id = 1:2, x1 = 5:6, x2 = 7:8)
        reshape(wide, direction = "long", varying = 2:3, v.names = "x")
        stack(list(a = 1, b = 2:3))
        format(as.formula("y ~ x"))
        update(y ~ x, . ~ . + z)
        optimize(function(x) (x - 1)^2, c(0, 3))$minimum
        uniroot(function(x) x^2 - 2, c(0, 2))$iter
        integrate(dnorm, -1.96, 1.96)
        spline(1:3, c(1, 4, 9), n = 4)
        ftable(Titanic, row.vars = 1:2)
        kernel("daniell", 2)
        rownames(head(mtcars, 2))
        print(object.size(1:10), units = "B")
        as.roman(4) + as.roman(3)
        toBibtex(bibentry("Misc", title = "T", author = "A B", year = 2000, key = "k"))
        combn(4, 2)
        type.convert(c("1", "2"), as.is = TRUE)
        read.csv(text = "a,b\n1,x\n2,y")
        capture.output(write.csv(data.frame(a = 1), row.names = FALSE))
        rgb(1, 0, 0)
        col2rgb("red")
        xy.coords(1:3, 4:6)$y
        environmentName(environment(eval(quote(median))))
        try(lm(y ~ x, data.frame(x = 1)))
        suppressWarnings(as.numeric("x"))
        warning("a warning")
        nlevels(iris$Species)
        Reduce(`+`, 1:4, accumulate = TRUE)
        vapply(split(mtcars$mpg, mtcars$cyl), median, 0)
    })
})
